//! A handler that returns an error, and a feed that cannot be made.

use std::time::Duration;

use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::store::StoreError;
use sse_core::{Error, EventLog, Feed, Start};
use sse_test_kit::wire::{End, Request};

/// The error of a store that is away. Its text is not for clients.
fn away() -> Error {
    Error::from(StoreError::failed("redis://10.0.0.7 is away"))
}

/// The error of a client that asks for an invalid topic.
fn invalid() -> Error {
    EventLog::in_memory(1).topics([""]).expect_err("the topic is empty")
}

pub(crate) async fn answers_an_error_of_a_handler_with_its_status(framework: &Framework) {
    let app = App::new(ServerOptions::default())
        .route(Method::Get, "invalid", async |_| Answer::Error(invalid()))
        .route(Method::Post, "invalid", async |_| Answer::Error(invalid()))
        .route(Method::Get, "away", async |_| Answer::Error(away()))
        .route(Method::Post, "away", async |_| Answer::Error(away()));
    let server = framework.start(app);
    for (path, status, text) in [
        ("/invalid", 422, "invalid topic: a topic has at least one byte"),
        ("/away", 503, "the events are unavailable; try again later"),
    ] {
        for request in [Request::get(path), Request::post(path, "")] {
            let mut response = request.send(server.address).await;
            assert_eq!(response.status, status, "{path}");
            assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
            response.end().await;
            assert_eq!(String::from_utf8_lossy(response.bytes()), text);
        }
    }
}

pub(crate) async fn ends_a_stream_whose_feed_is_away_so_that_the_client_comes_back(
    framework: &Framework,
) {
    let app = App::new(ServerOptions::default()).stream("events", |_| Err::<Feed, _>(away()));
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.end().await, End::Clean);
    let text = String::from_utf8_lossy(response.bytes()).into_owned();
    let retry = text.strip_prefix(": ok\nretry: ").and_then(|rest| rest.strip_suffix("\n"));
    let retry: u64 = retry.and_then(|retry| retry.parse().ok()).expect(&text);
    assert!((1_500..=4_500).contains(&retry), "{retry}");

    let mut head = Request::head("/events").send(server.address).await;
    assert_eq!(head.status, 200);
    head.end().await;
    assert_eq!(head.bytes(), b"");
}

pub(crate) async fn refuses_a_stream_whose_feed_is_invalid(framework: &Framework) {
    let app = App::new(ServerOptions::default()).stream("events", |_| Err::<Feed, _>(invalid()));
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    assert_eq!(response.status, 422);
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(response.end().await, End::Clean);
    assert_eq!(response.bytes(), b"invalid topic: a topic has at least one byte");
}

pub(crate) async fn refuses_a_stream_that_begins_by_times_if_its_log_keeps_none(
    framework: &Framework,
) {
    let log = EventLog::in_memory(10);
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| log.feed().start_at(Start::Since(Duration::from_secs(60))));
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    assert_eq!(response.status, 500);
    assert_eq!(response.end().await, End::Clean);
    assert_eq!(response.bytes(), b"the server failed");
}
