//! A goodbye that is broken off, for clients that take a clean end for the last word.

use std::time::Duration;

use sse_conformance::suite::app::App;
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::{EventLog, EventType};
use sse_test_kit::wire::{End, Request};
use tokio::task::block_in_place;

use crate::shutdown::a_second;

/// The ends of a stream that is shut down and one that is opened in the window, whose goodbyes are broken off.
async fn ends_of_cut_goodbyes(framework: &Framework) -> [End; 2] {
    let log = EventLog::in_memory(1);
    let feed = log.feed().goodbye_event(EventType::from_static("goodbye")).cut_on_goodbye();
    let app = App::new(a_second()).stream("events", move |_| feed.clone());
    let server = framework.start(app);
    let mut response = Request::get("/events").send(server.address).await;
    let mut kept_open = Request::get("/events").send(server.address).await;
    let id = log.append("one").await.expect("a short event is accepted");
    for response in [&mut response, &mut kept_open] {
        assert_eq!(response.next_event().await.data, "one");
    }
    server.drain(Duration::from_secs(2));
    let mut late = Request::get("/events").send(server.address).await;
    let mut ends = [End::Clean; 2];
    for (response, end) in [&mut response, &mut late].into_iter().zip(&mut ends) {
        let goodbye = response.next_event().await;
        assert_eq!(goodbye.event_type, "goodbye");
        let said: serde_json::Value = serde_json::from_str(&goodbye.data).expect("JSON");
        assert_eq!(said["retry"].as_u64(), response.parser().reconnection_time());
        *end = response.end().await;
        assert!(!response.parser().is_mid_event());
    }
    assert_eq!(response.last_event_id(), id.as_str(), "it resumes after the event before");
    kept_open.end().await;
    block_in_place(|| server.ended(framework.ends));
    ends
}

pub(crate) async fn breaks_a_stream_off_after_its_goodbye(framework: &Framework) {
    let ends = ends_of_cut_goodbyes(framework).await;
    assert!(!ends.contains(&End::Clean), "{ends:?}");
}

pub(crate) async fn ends_a_stream_cleanly_though_its_goodbye_is_to_be_broken_off(
    framework: &Framework,
) {
    let ends = ends_of_cut_goodbyes(framework).await;
    // On poem a connection may close before the end of the body goes out.
    assert!(
        ends.contains(&End::Clean),
        "{ends:?}: it is broken off now, and the list of frameworks can say so"
    );
}

/// The same over HTTP/2: how a stream ends that is shut down.
async fn http2_end_of_a_cut_goodbye(framework: &Framework) -> End {
    let log = EventLog::in_memory(1);
    let feed = log.feed().goodbye_event(EventType::from_static("goodbye")).cut_on_goodbye();
    let app = App::new(a_second()).stream("events", move |_| feed.clone());
    let server = framework.start(app);
    let connection = Connection::open(server.address).await;
    let mut response = connection.get("/events", &[]).await;
    log.append("one").await.expect("a short event is accepted");
    assert_eq!(response.next_event().await.data, "one");
    block_in_place(|| server.shut_down(framework.ends_http2));
    assert_eq!(response.next_event().await.event_type, "goodbye");
    response.end().await
}

pub(crate) async fn resets_an_http2_stream_after_its_goodbye(framework: &Framework) {
    assert_ne!(http2_end_of_a_cut_goodbye(framework).await, End::Clean);
}

pub(crate) async fn ends_an_http2_stream_cleanly_though_its_goodbye_is_to_be_broken_off(
    framework: &Framework,
) {
    assert_eq!(http2_end_of_a_cut_goodbye(framework).await, End::Clean);
}
