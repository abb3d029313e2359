//! An answer on the wire.

use std::collections::HashSet;
use std::time::Duration;

use sse_conformance::suite::app::{Answer, App, Call, Method, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire_h2;
use sse_core::{Event, EventLog, EventType, OnGap};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{End, PATIENCE, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) fn app(log: &EventLog, options: ServerOptions) -> App {
    let (events, quiet, named, stop) = (log.clone(), log.clone(), log.clone(), log.clone());
    let silence = Duration::from_millis(50);
    App::new(options)
        .stream("events", move |_| events.feed().retry_exactly(Duration::from_millis(50)))
        .stream("quiet", move |_| quiet.feed().no_retry().keep_alive(silence))
        .stream("named", move |_| {
            named.feed().keep_alive(silence).keep_alive_event(EventType::from_static("ping"))
        })
        .stream("stop", move |_| stop.feed().on_gap(OnGap::Stop))
}

pub(crate) fn log() -> EventLog {
    EventLog::in_memory(100)
}

pub(crate) async fn says_in_its_headers_what_it_is(framework: &Framework) {
    let server = framework.start(app(&log(), ServerOptions::default()));
    let response = Request::get("/events").send(server.address).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    assert_eq!(response.header("transfer-encoding"), Some("chunked"));
}

/// The limit of the suite's own server: an event may be as long as a log allows.
pub(crate) async fn delivers_a_long_event_that_was_posted(framework: &Framework) {
    let log = log();
    let posted = log.clone();
    let app = app(&log, ServerOptions::default());
    let app = app.route(Method::Post, "publish", move |call| {
        let log = posted.clone();
        async move {
            let id = log.append(Event::new(call.body)).await.expect("it is within the limit");
            Answer::Text(200, id.to_string())
        }
    });
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    let long = "long ".repeat(200_000);
    let posted = Request::post("/publish", &long).send(server.address).await;
    assert_eq!(posted.status, 200);
    assert_eq!(response.next_event().await.data, long);
}

/// The suite's own server takes a request as `curl -X POST` sends it, without a header about a body.
pub(crate) async fn takes_a_post_without_a_body(framework: &Framework) {
    let app =
        App::new(ServerOptions::default())
            .route(Method::Post, "empty", async |call: Call| Answer::Text(200, call.body));
    let server = framework.start(app);
    let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
    stream.write_all(b"POST /empty HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it reads");
    let mut head = [0; 12];
    let answered = tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await;
    answered.expect("an answer within 5 s").expect("a whole status line");
    assert_eq!(&head, b"HTTP/1.1 200");
}

pub(crate) async fn begins_with_a_comment_and_the_reconnection_time(framework: &Framework) {
    let server = framework.start(app(&log(), ServerOptions::default()));
    let mut response = Request::get("/events").send(server.address).await;
    response.read_until(|bytes| bytes == b": ok\nretry: 50\n").await;
}

pub(crate) async fn spreads_the_reconnection_times_of_clients(framework: &Framework) {
    let log = log();
    let server =
        framework.start(App::new(ServerOptions::default()).stream("events", move |_| log.feed()));
    let mut times = HashSet::new();
    for _ in 0..20 {
        let mut response = Request::get("/events").send(server.address).await;
        response.read_until(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count() == 2).await;
        let time = response.parser().reconnection_time().expect("it is sent at the start");
        assert!((1500..=4500).contains(&time), "{time} ms");
        times.insert(time);
    }
    assert!(times.len() > 10, "{times:?}");
}

pub(crate) async fn keeps_alive_with_one_comment_line(framework: &Framework) {
    let server = framework.start(app(&log(), ServerOptions::default()));
    let mut response = Request::get("/quiet").send(server.address).await;
    response.read_until(|bytes| bytes == b": ok\n: keep-alive\n: keep-alive\n").await;
}

pub(crate) async fn keeps_alive_with_an_event_if_the_feed_has_one(framework: &Framework) {
    let server = framework.start(app(&log(), ServerOptions::default()));
    let mut response = Request::get("/named").send(server.address).await;
    let ping = response.next_event().await;
    assert_eq!((ping.event_type.as_str(), ping.data.as_str()), ("ping", ""));
    assert_eq!(ping.last_event_id, "");
}

pub(crate) async fn answers_head_with_the_headers_alone(framework: &Framework) {
    let log = log();
    let server = framework.start(app(&log, ServerOptions::default()));
    let mut response = Request::head("/events").send(server.address).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.end().await, End::Clean);
    assert!(response.bytes().is_empty());
    eventually(PATIENCE, "nothing is held for it", || log.stats().open_streams == 0).await;
}

pub(crate) async fn speaks_http_1_0_without_chunks(framework: &Framework) {
    let log = log();
    let server = framework.start(app(&log, ServerOptions::default()));
    let mut response = Request::get("/events").http10().send(server.address).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("transfer-encoding"), None);
    assert_eq!(response.header("content-length"), None);
    log.append(Event::new("one")).await.expect("a short event is accepted");
    assert_eq!(response.next_event().await.data, "one");
    log.shutdown().begin();
    drop(server);
    assert_eq!(response.end().await, End::Clean);
    assert!(response.bytes().starts_with(b": ok\nretry: 50\ndata: one\n"));
}

pub(crate) async fn speaks_http_2(framework: &Framework) {
    let log = log();
    let server = framework.start(app(&log, ServerOptions::default()));
    let connection = wire_h2::Connection::open(server.address).await;
    let mut first = connection.get("/events", &[]).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.headers["content-type"], "text/event-stream; charset=utf-8");
    // Many streams on one connection: that is what HTTP/2 is for here.
    let mut second = connection.get("/events", &[]).await;
    eventually(PATIENCE, "both are reading", || log.stats().open_streams == 2).await;
    let id = log.append(Event::new("one")).await.expect("a short event is accepted");
    log.append(Event::new("two")).await.expect("a short event is accepted");
    for response in [&mut first, &mut second] {
        assert_eq!(response.next_event().await.data, "one");
        assert_eq!(response.next_event().await.data, "two");
    }
    let mut resumed = connection.get("/events", &[("last-event-id", id.as_str())]).await;
    assert_eq!(resumed.next_event().await.data, "two");
}

pub(crate) async fn answers_204_if_a_gap_is_to_be_the_end(framework: &Framework) {
    let server = framework.start(app(&log(), ServerOptions::default()));
    let request = Request::get("/stop").header("Last-Event-ID", "nonsense");
    let mut response = request.send(server.address).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header("content-type"), None);
    assert_eq!(response.header("transfer-encoding"), None);
    assert_eq!(response.end().await, End::Clean);
}

/// Asked of the frameworks whose compression leaves alone what is already encoded, or is no fit for it.
pub(crate) async fn is_not_held_back_by_compression(framework: &Framework) {
    let log = log();
    let options = ServerOptions { compresses: true, ..ServerOptions::default() };
    let server = framework.start(app(&log, options));
    for accepted in [None, Some("gzip, br, zstd"), Some("*"), Some("gzip, identity;q=0"), Some("")]
    {
        let mut request = Request::get("/events");
        if let Some(accepted) = accepted {
            request = request.header("Accept-Encoding", accepted);
        }
        let mut response = request.send(server.address).await;
        match response.header("content-encoding") {
            None => {}
            // RFC 9110, 8.4.1, asks not to send it: those get it alone who ask for an encoding.
            Some("identity") => assert!(accepted.is_some()),
            Some(other) => panic!("{accepted:?}: it is {other}"),
        }
        response.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
        for text in ["at once", "and again"] {
            log.append(Event::new(text)).await.expect("a short event is accepted");
            assert_eq!(response.next_event().await.data, text, "{accepted:?}");
        }
    }
}
