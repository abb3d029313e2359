//! A server that ends takes leave of its clients, and is not held up by them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::server::Server;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{EventLog, EventType, FeedOnce};
use sse_test_kit::parser::Parser;
use sse_test_kit::wire::{End, Request, Response};
use tokio::task::{JoinHandle, block_in_place};

use crate::flood::Flood;
use crate::watched::{Progress, Watched};

/// The usual interval of keep-alives, which plays no part here.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub(crate) async fn ends_every_stream_after_whole_events_and_then_the_server(
    framework: &Framework,
) {
    let (watched, server) = start(framework);
    let _busy = watched.busy();
    let idle = open(&server, "/idle", 50).await;
    let busy = [open(&server, "/log", 25).await, open(&server, "/source", 25).await];
    let mut busy = busy.into_iter().flatten().collect::<Vec<_>>();
    for response in &mut busy {
        response.next_event().await;
    }
    let ending = idle.into_iter().chain(busy).map(end).collect::<Vec<_>>();
    let took = block_in_place(|| server.shut_down(framework.ends));
    println!("{}: 100 streams: ended after {took:.1?}", framework.name);
    for (end, response) in join(ending).await {
        assert_eq!(end, End::Clean);
        ends_with_goodbye(response.bytes(), response.parser());
    }
}

pub(crate) async fn ends_every_http2_stream_after_whole_events_and_then_the_server(
    framework: &Framework,
) {
    let (watched, server) = start(framework);
    let _busy = watched.busy();
    let connection = Connection::open(server.address).await;
    let mut ending = Vec::new();
    for path in ["/idle", "/log", "/source"].repeat(10) {
        let mut response = connection.get(path, &[]).await;
        ending.push(tokio::spawn(async move { (response.end().await, response) }));
    }
    watched.subscribed(10, 10, 10).await;
    let took = block_in_place(|| server.shut_down(framework.ends_http2));
    println!("{}: 30 HTTP/2 streams: ended after {took:.1?}", framework.name);
    for (end, response) in join(ending).await {
        assert_eq!(end, End::Clean);
        ends_with_goodbye(response.bytes(), response.parser());
    }
}

pub(crate) async fn is_not_held_up_by_clients_that_do_not_read(framework: &Framework) {
    let (flood, idle) = (Flood::default(), EventLog::in_memory(1));
    let large = flood.clone();
    let app = App::new(a_second())
        .stream("large", move |_| large.feed())
        .stream("idle", move |_| idle.feed());
    let server = framework.start(app);
    let stalled = flood.stalled_clients(&server, 10).await;
    let reading = open(&server, "/idle", 10).await.into_iter().map(end);
    let reading = reading.collect::<Vec<_>>();
    flood.blocked().await;
    let took = block_in_place(|| server.shut_down(framework.ends_stalled));
    println!("{}: stalled clients: ended after {took:.1?}", framework.name);
    for (end, response) in join(reading).await {
        assert_eq!(end, End::Clean);
        ends_with_goodbye(response.bytes(), response.parser());
    }
    for (end, _) in join(stalled.into_iter().map(end).collect()).await {
        assert_ne!(end, End::Clean, "they were not told that this is all");
    }
}

pub(crate) async fn ends_its_streams_over_a_window_and_others_at_once_and_then_the_server(
    framework: &Framework,
) {
    let window = Duration::from_secs(2);
    let (watched, server) = start(framework);
    let _busy = watched.busy();
    let streams = open(&server, "/idle", 60).await.into_iter();
    let streams = streams.chain(open(&server, "/source", 20).await).collect::<Vec<_>>();
    let begun = Instant::now();
    let ending = streams.into_iter().map(|mut response| {
        tokio::spawn(async move { (response.end().await, begun.elapsed(), response) })
    });
    let ending = ending.collect::<Vec<_>>();
    server.drain(window);
    let mut late = Request::get("/idle").send(server.address).await;
    assert_eq!(late.end_within(Duration::from_secs(1)).await, End::Clean);
    ends_with_goodbye(late.bytes(), late.parser());
    assert!(begun.elapsed() < window, "and the server goes on");
    let (mut early, mut later) = (0, 0);
    for (end, after, response) in join(ending).await {
        assert_eq!(end, End::Clean);
        ends_with_goodbye(response.bytes(), response.parser());
        match after < window / 2 {
            true => early += 1,
            false => later += 1,
        }
    }
    assert!(early > 10 && later > 10, "{early} in the first half, {later} in the second");
    block_in_place(|| server.ended(framework.ends));
    assert!(begun.elapsed() < window + framework.ends, "{:?}", begun.elapsed());
}

pub(crate) async fn says_goodbye_with_an_event_if_the_feed_has_one(framework: &Framework) {
    let log = EventLog::in_memory(1);
    let feed = log.feed().goodbye_event(EventType::from_static("goodbye"));
    let app = App::new(a_second()).stream("events", move |_| feed.clone());
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    let id = log.append("one").await.expect("a short event is accepted");
    assert_eq!(response.next_event().await.data, "one");
    block_in_place(|| server.shut_down(framework.ends));
    let goodbye = response.next_event().await;
    assert_eq!(goodbye.event_type, "goodbye");
    let said: serde_json::Value = serde_json::from_str(&goodbye.data).expect("JSON");
    assert_eq!(said["retry"].as_u64(), response.parser().reconnection_time());
    assert_eq!(response.end().await, End::Clean);
    assert_eq!(response.last_event_id(), id.as_str(), "it resumes after the event before");
}

pub(crate) async fn ends_a_stream_at_once_that_begins_after_the_shutdown(framework: &Framework) {
    let handling = Progress::default();
    let progress = handling.clone();
    let app = App::new(ServerOptions::default());
    let (begun, shutdown) = (app.shutdown.clone(), app.shutdown.clone());
    let app = app.route(Method::Get, "late", move |_| {
        let (begun, progress) = (begun.clone(), progress.clone());
        async move {
            progress.until(begun.begun()).await;
            Answer::Stream(FeedOnce::from(EventLog::in_memory(1)).shutdown(&begun))
        }
    });
    let server = framework.start(app);
    let late = tokio::spawn(Request::get("/late").send(server.address));
    handling.begun().await;
    shutdown.begin();
    let mut late = late.await.expect("a response");
    assert_eq!(late.end_within(framework.ends).await, End::Clean);
    ends_with_goodbye(late.bytes(), late.parser());
    block_in_place(|| server.shut_down(framework.ends));
}

/// A server that ends in any case a second after its shutdown began.
pub(crate) fn a_second() -> ServerOptions {
    ServerOptions { grace: Duration::from_secs(1), ..ServerOptions::default() }
}

/// Serves what is watched.
fn start(framework: &Framework) -> (Watched, Server) {
    let (watched, app) = Watched::new(KEEP_ALIVE, a_second());
    let server = framework.start(app);
    (watched, server)
}

async fn open(server: &Server, path: &str, count: usize) -> Vec<Response> {
    join_all((0..count).map(|_| Request::get(path).send(server.address))).await
}

/// Reads to the end while the server is shut down.
fn end(mut response: Response) -> JoinHandle<(End, Response)> {
    tokio::spawn(async move { (response.end().await, response) })
}

async fn join<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let ended = join_all(tasks).await;
    ended.into_iter().map(|task| task.expect("an end")).collect()
}

#[track_caller]
pub(crate) fn ends_with_goodbye(body: &[u8], parser: &Parser) {
    assert!(!parser.is_mid_event(), "{}", body.escape_ascii());
    let last_line = body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let last_line = last_line.unwrap_or_default().escape_ascii().to_string();
    assert!(last_line.starts_with("retry: "), "{last_line:?}");
    let retry = parser.reconnection_time().expect("a reconnection time");
    assert!((1500..=4500).contains(&retry), "{retry} ms, usually 3000");
}
