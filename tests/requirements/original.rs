//! What npm http-event-stream does, row by row of `docs/from-http-event-stream.md`.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::stream;
use sse_conformance::suite::app::{Answer, App, Call, Method, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{
    Closed, Event, EventId, EventLog, EventType, FeedOnce, Replay, StreamContext, source,
};
use sse_test_kit::wire::{End, PATIENCE, Request, Response};

fn event(id: &'static str) -> Event {
    Event::new(format!("data of {id}")).id(EventId::from_static(id))
}

fn live(events: Vec<Event>) -> impl futures_util::Stream<Item = io::Result<Event>> {
    use futures_util::StreamExt;
    stream::iter(events).map(Ok).chain(stream::pending())
}

pub(crate) async fn fetches_only_if_there_is_a_last_event_id(framework: &Framework) {
    let (fetched, fetches) = mpsc::channel();
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let fetched = fetched.clone();
        let fetch = move |id: EventId| {
            fetched.send(id.to_string()).expect("the test listens");
            async { Ok(vec![event("8"), event("9")]) }
        };
        FeedOnce::from(source(fetch, || async { Ok(live(vec![event("10")])) }))
    });
    let server = framework.start(app);

    let mut first = Request::get("/events").send(server.address).await;
    assert_eq!(first.next_event().await.data, "data of 10");
    assert!(fetches.try_recv().is_err(), "fetch was called on a first visit");

    let request = Request::get("/events").header("Last-Event-ID", "7");
    let mut again = request.send(server.address).await;
    let data: Vec<_> = again.events(3).await.into_iter().map(|event| event.data).collect();
    assert_eq!(data, ["data of 8", "data of 9", "data of 10"]);
    assert_eq!(fetches.try_recv().as_deref(), Ok("7"));
}

pub(crate) async fn hands_parameters_and_headers_to_the_source(framework: &Framework) {
    let app = App::new(ServerOptions::default()).stream("events", |call| {
        let greeting = format!("{:?} asks for {:?}", call.user, call.query);
        let live = move || {
            let events = live(vec![Event::new(greeting.clone())]);
            async { Ok(events) }
        };
        FeedOnce::from(source(|_| async { Ok(Replay::Gap) }, live))
    });
    let server = framework.start(app);
    let request = Request::get("/events?topic=cats").header("X-User", "ann");
    let greeting = request.send(server.address).await.next_event().await;
    assert_eq!(greeting.data, r#"Some("ann") asks for Some("topic=cats")"#);
}

pub(crate) async fn leaves_it_to_the_handler_whom_to_refuse(framework: &Framework) {
    let app =
        App::new(ServerOptions::default()).route(Method::Get, "events", async |call: Call| {
            match call.user {
                Some(_) => Answer::Stream(EventLog::in_memory(10).into()),
                None => Answer::Text(401, "who are you?".into()),
            }
        });
    let server = framework.start(app);
    let refused = Request::get("/events").send(server.address).await;
    assert_eq!(refused.status, 401);
    assert_ne!(refused.header("content-type"), Some("text/event-stream"));
    let welcome = Request::get("/events").header("X-User", "ann").send(server.address).await;
    assert_eq!(welcome.status, 200);
}

pub(crate) async fn reports_an_error_and_ends_so_that_the_client_comes_back(framework: &Framework) {
    let (reported, reports) = mpsc::channel();
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let reported = reported.clone();
        let failing = |_| async { Err::<Replay, _>("the disk is on fire".into()) };
        let live = || async { Ok(live(vec![])) };
        FeedOnce::from(source(failing, live)).no_retry().on_error(move |error| {
            let source = std::error::Error::source(error).map(ToString::to_string);
            reported.send(source).expect("the test listens");
        })
    });
    let server = framework.start(app);
    let request = Request::get("/events").header("Last-Event-ID", "7");
    let mut response = request.send(server.address).await;
    assert_eq!(response.status, 200, "a 5xx would stop EventSource for good");
    assert_eq!(response.end().await, End::Clean);
    assert_eq!(response.bytes(), b": ok\n");
    assert_eq!(reports.try_recv(), Ok(Some("the disk is on fire".to_owned())));
}

pub(crate) async fn tells_of_a_gap_that_the_source_tells_of(framework: &Framework) {
    let app = App::new(ServerOptions::default()).stream("events", |_| {
        let live = || async { Ok(live(vec![event("10")])) };
        FeedOnce::from(source(|_| async { Ok(Replay::Gap) }, live))
    });
    let server = framework.start(app);
    let request = Request::get("/events").header("Last-Event-ID", "7");
    let mut response = request.send(server.address).await;
    let reset = response.next_event().await;
    assert_eq!(reset.event_type, "reset");
    assert_eq!(reset.data, r#"{"reason":"unknown","oldest":null,"newest":null}"#);
    assert_eq!(reset.last_event_id, "");
    assert_eq!(response.next_event().await.data, "data of 10");
}

pub(crate) async fn sends_what_a_context_is_given_until_it_closes(framework: &Framework) {
    let app = App::new(ServerOptions::default()).stream("events", |_| {
        StreamContext::run(|context| async move {
            context.send_comment("a comment").await?;
            let note = Event::from_pieces(["one", "two\nthree"]);
            context.send_event(note.event_type(EventType::from_static("note"))).await?;
            context.send_event(Event::new("last").retry(Duration::from_millis(70))).await?;
            context.close();
            Ok(())
        })
        .no_retry()
    });
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    assert_eq!(response.end().await, End::Clean);
    let sent =
        ": a comment\nevent: note\ndata: one\ndata: two\ndata: three\n\nretry: 70\ndata: last\n\n";
    assert_eq!(String::from_utf8_lossy(response.bytes()), format!(": ok\n{sent}"));
}

pub(crate) async fn sends_through_a_channel_from_elsewhere(framework: &Framework) {
    let (handed, contexts) = mpsc::channel();
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let (context, feed) = StreamContext::channel();
        handed.send(context).expect("the test listens");
        feed
    });
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    let context = contexts.try_recv().expect("the head comes after the handler");
    context.send_event(Event::new("from elsewhere")).await.expect("the client is here");
    assert_eq!(response.next_event().await.data, "from elsewhere");
    drop(context);
    assert_eq!(response.end().await, End::Clean);
}

/// Whatever ended the stream, a context says so, and nothing waits for ever.
pub(crate) async fn refuses_what_is_sent_after_the_end_of_a_stream(framework: &Framework) {
    let keep_alive = framework.closes.keep_alive;
    let (handed, contexts) = mpsc::channel();
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let (context, feed) = StreamContext::channel();
        handed.send(context).expect("the test listens");
        feed.keep_alive(keep_alive)
    });
    let shutdown = app.shutdown.clone();
    let server = framework.start(app);

    let client = Request::get("/events").send(server.address).await;
    let context = contexts.try_recv().expect("the head comes after the handler");
    context.close();
    check_closed(&context).await;
    drop(client);

    for leave in [Response::leave_fin, Response::leave_rst] {
        let client = Request::get("/events").send(server.address).await;
        let context = contexts.try_recv().expect("the head comes after the handler");
        context.send_event(Event::new("while it is here")).await.expect("the client is here");
        leave(client);
        check_closed(&context).await;
    }

    let mut client = Request::get("/events").send(server.address).await;
    let context = contexts.try_recv().expect("the head comes after the handler");
    shutdown.begin();
    check_closed(&context).await;
    assert_eq!(client.end().await, End::Clean);
}

/// Waits until the stream is over, and asks everything of its context that can be asked.
async fn check_closed(context: &StreamContext) {
    let asked = async {
        context.closed().await;
        assert!(context.is_closed());
        for _ in 0..2 {
            assert_eq!(context.send_event(Event::new("too late")).await, Err(Closed));
            assert_eq!(context.send_comment("too late").await, Err(Closed));
            context.close();
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("nothing waits for ever");
}
