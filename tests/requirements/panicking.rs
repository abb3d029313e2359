//! Code of the application that panics, as part of a stream: it ends that response, and no other.

use std::future::Ready;
use std::sync::mpsc;

use futures_util::stream::{self, Pending, StreamExt};
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{BoxError, Event, EventLog, FeedOnce, OnGap, Snapshot, StreamContext, source};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{End, PATIENCE, Request};

/// What panics, and a feed that does.
type Panicking = (&'static str, fn() -> FeedOnce);

/// Code of the application that panics, each as part of a stream.
fn panicking() -> [Panicking; 7] {
    async fn live() -> Result<Pending<Result<Event, BoxError>>, BoxError> {
        Ok(stream::pending())
    }
    let fetching = || {
        let fetch = |_| async { panic!("the fetch panics") as Result<Vec<Event>, BoxError> };
        FeedOnce::from(source(fetch, live))
    };
    let calling = || {
        let fetch = |_| -> Ready<Result<Vec<Event>, BoxError>> { panic!("the fetch panics") };
        FeedOnce::from(source(fetch, live))
    };
    let running = || {
        StreamContext::run(|_context| async {
            panic!("the closure panics") as Result<(), BoxError>
        })
    };
    let gathering = || {
        let make = |_| async { panic!("the snapshot panics") as Result<Snapshot, BoxError> };
        FeedOnce::from(EventLog::in_memory(1)).on_gap(OnGap::snapshot(make))
    };
    async fn fetched(_: sse_core::EventId) -> Result<Vec<Event>, BoxError> {
        Ok(vec![Event::new("missed").id("8".parse()?)])
    }
    let subscribing = || {
        let live = || async {
            panic!("the subscription panics") as Result<Pending<Result<Event, BoxError>>, BoxError>
        };
        FeedOnce::from(source(fetched, live))
    };
    let living = || {
        let next = |_| -> Result<Event, BoxError> { panic!("the live events panic") };
        FeedOnce::from(source(fetched, move || async move { Ok(stream::iter(0..1).map(next)) }))
    };
    let streaming = || {
        let next = |number| match number {
            0 => Event::new("one"),
            _ => panic!("the stream panics"),
        };
        sse_core::Feed::from_stream(stream::iter(0..2).map(next))
    };
    [
        ("fetching", fetching),
        ("calling", calling),
        ("running", running),
        ("gathering", gathering),
        ("subscribing", subscribing),
        ("living", living),
        ("streaming", streaming),
    ]
}

pub(crate) async fn takes_a_panic_for_an_error_and_goes_on_serving_others(framework: &Framework) {
    let (reported, reports) = mpsc::channel();
    let log = EventLog::in_memory(10);
    let others = log.clone();
    let mut app = App::new(ServerOptions::default()).stream("others", move |_| others.feed());
    for (name, feed) in panicking() {
        let reported = reported.clone();
        app = app.stream(name, move |_| {
            let reported = reported.clone();
            feed().on_error(move |error| {
                let source = std::error::Error::source(error).map(ToString::to_string);
                reported.send(source.unwrap_or_default()).expect("the test listens");
            })
        });
    }
    let server = framework.start(app);
    let connection = Connection::open(server.address).await;
    let mut other = Request::get("/others").send(server.address).await;
    let mut same = connection.get("/others", &[]).await;
    eventually(PATIENCE, "both are reading", || log.stats().open_streams == 2).await;
    for (name, _) in panicking() {
        let path = format!("/{name}");
        let request = Request::get(&path).header("Last-Event-ID", "7");
        let mut response = request.send(server.address).await;
        assert_eq!(response.status, 200, "{name}");
        assert_eq!(response.end().await, End::Clean, "{name}");
        assert!(response.bytes().starts_with(b": ok\n"), "{name}");
        let report = reports.try_recv().expect("it is reported before the end");
        assert!(report.starts_with("it panicked: the "), "{name}: {report}");

        let mut response = connection.get(&path, &[("last-event-id", "7")]).await;
        assert_eq!(response.end().await, End::Clean, "{name} over HTTP/2");
        assert!(response.bytes().starts_with(b": ok\n"), "{name} over HTTP/2");
        reports.try_recv().expect("it is reported before the end");
    }
    log.append(Event::new("still here")).await.expect("a short event is accepted");
    assert_eq!(other.next_event().await.data, "still here");
    assert_eq!(same.next_event().await.data, "still here");
}
