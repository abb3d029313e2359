//! Limits on open streams, and the longest life of one.

use std::time::Duration;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::server::Server;
use sse_core::{EventLog, Limits};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{End, PATIENCE, Request, Response};

/// Asks for a stream that is refused: a whole response, which says when to come back.
async fn refused(server: &Server, path: &str) {
    let mut response = Request::get(path).send(server.address).await;
    assert_eq!(response.status, 200, "another status would stop EventSource for good");
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.end().await, End::Clean, "{path}");
    let body = String::from_utf8_lossy(response.bytes());
    assert!(body.starts_with(": ok\n") && !body.contains("data: "), "{body}");
    let time = response.parser().reconnection_time().expect("it says when to come back");
    assert!((1500..=60_000).contains(&time), "{time} ms");
}

async fn let_in(server: &Server, path: &str, log: &EventLog) -> Response {
    let before = log.stats().open_streams;
    let response = Request::get(path).send(server.address).await;
    eventually(PATIENCE, "the stream is open", || log.stats().open_streams > before).await;
    response
}

pub(crate) async fn refuses_streams_over_each_limit_and_lets_them_in_later(framework: &Framework) {
    let log = EventLog::in_memory(10);
    let log_of = |limits: Limits| {
        let log = log.clone();
        move |call: sse_conformance::suite::app::Call| {
            let feed = log.topics([call.query.as_deref().unwrap_or("room")]).expect("a topic");
            feed.limits(&limits).principal(call.user.unwrap_or_default())
        }
    };
    let quick = Duration::from_millis(50);
    let feeds = [
        ("process", Limits::new().process(2)),
        ("log", Limits::new().each_log(2)),
        ("topic", Limits::new().each_topic(2)),
        ("principal", Limits::new().each_principal(2)),
    ];
    let mut app = App::new(ServerOptions::default());
    for (name, limits) in feeds {
        let feed = log_of(limits);
        app = app.stream(name, move |call| feed(call).keep_alive(quick));
    }
    let server = framework.start(app);
    for path in ["/process", "/log", "/topic", "/principal"] {
        let first = let_in(&server, path, &log).await;
        let second = let_in(&server, path, &log).await;
        refused(&server, path).await;
        drop(first);
        eventually(PATIENCE, "it has left", || log.stats().open_streams == 1).await;
        let third = let_in(&server, path, &log).await;
        drop((second, third));
        eventually(PATIENCE, "all have left", || log.stats().open_streams == 0).await;
    }
}

pub(crate) async fn ends_a_stream_after_its_longest_life(framework: &Framework) {
    let log = EventLog::in_memory(10);
    let events = log.clone();
    let life = Duration::from_millis(300);
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| events.feed().longest_life(life));
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    assert_eq!(response.end().await, End::Clean);
    let body = String::from_utf8_lossy(response.bytes());
    assert_eq!(body.matches("retry: ").count(), 2, "at its start and at its end: {body}");
    assert_eq!(log.stats().open_streams, 0);
}
