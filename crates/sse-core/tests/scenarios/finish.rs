//! A log whose newest event is the last.

use sse_core::{Event, EventLog, EventType, OnGap, Start, StreamRequest, StreamResponse};

use crate::support::client::{Client, request, request_after};
use crate::support::clock;
use crate::support::script::numbers;

async fn one_to_three() -> EventLog {
    let log = EventLog::in_memory(10);
    log.append_all((1..=3).map(|n| Event::new(n.to_string()))).await.expect("stored");
    log
}

fn status(request: &StreamRequest, log: &EventLog) -> u16 {
    StreamResponse::new(request, log, clock::timer()).status
}

#[tokio::test(start_paused = true)]
async fn the_last_event_reaches_everyone_and_then_the_stream_ends() {
    let log = one_to_three().await;
    let mut live = Client::open(log.feed().no_retry());
    let mut behind = Client::open(log.feed().start_at(Start::Oldest));
    live.read_all().await;
    log.append(Event::new("4")).await.expect("stored");
    log.finish().await.expect("nothing fails in memory");
    assert_eq!(live.read_to_end().await, numbers([4]));
    assert_eq!(behind.read_to_end().await, numbers(1..=4));
    assert!(!live.text().contains("retry:"), "an end for good asks nobody back");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_ends_at_once() {
    let log = one_to_three().await;
    let mut client = Client::open(&log);
    client.read_all().await;
    let ending = tokio::spawn(async move { client.read_to_end().await });
    tokio::task::yield_now().await;
    log.finish().await.expect("nothing fails in memory");
    assert_eq!(ending.await.expect("it ends"), numbers([]));
    assert_eq!(log.stats().open_streams, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_all_is_answered_204() {
    let log = one_to_three().await;
    let newest = log.stats().newest;
    log.finish().await.expect("nothing fails in memory");
    log.finish().await.expect("a second time changes nothing");
    assert!(log.stats().is_finished);
    assert_eq!(status(&request_after(&newest), &log), 204);
    assert_eq!(status(&request(), &log), 204, "it would begin live");
    let opening = log.feed().position_event(EventType::from_static("here"));
    assert_eq!(StreamResponse::new(&request(), opening, clock::timer()).status, 204);
    let live = log.feed().on_gap(OnGap::Live);
    assert_eq!(StreamResponse::new(&request_after("nonsense"), live, clock::timer()).status, 204);
    assert_eq!(log.stats().open_streams, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_behind_gets_the_rest_and_then_the_204() {
    let log = one_to_three().await;
    let seen = log.stats().newest.as_str().replace(".3", ".1");
    log.finish().await.expect("nothing fails in memory");
    let mut client = Client::resume(&log, &seen);
    assert_eq!(client.read_to_end().await, numbers(2..=3));
    assert_eq!(status(&request_after(client.last_event_id()), &log), 204);

    let mut lost = Client::resume(&log, "nonsense");
    assert_eq!(lost.read_to_end().await[1..], numbers(1..=3));
    assert_eq!(status(&request_after(lost.last_event_id()), &log), 204);
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_added_to_it_and_all_can_be_read() {
    let log = one_to_three().await;
    log.finish().await.expect("nothing fails in memory");
    assert!(log.append(Event::new("4")).await.expect_err("refused").is_finished());
    assert!(log.append_all([Event::new("4")]).await.expect_err("refused").is_finished());
    let newest = log.stats().newest;
    assert_eq!(log.get(&newest).await.expect("kept").to_event().data.as_deref(), Some("3"));
}

#[tokio::test]
async fn a_batch_is_added_whole_or_not_at_all() {
    let log = one_to_three().await;
    let batch = [Event::new("4"), Event::default(), Event::new("5")];
    assert!(log.append_all(batch).await.expect_err("one has no data").is_invalid_event());
    assert_eq!(log.stats().events, 3);
    assert_eq!(log.append_all([Event::new("4"), Event::new("5")]).await.expect("stored").len(), 2);
}

#[tokio::test]
async fn an_event_that_is_not_kept_cannot_be_got() {
    let log = EventLog::in_memory(2);
    let ids = log.append_all((1..=4).map(|n| Event::new(n.to_string()))).await.expect("stored");
    for gone in &ids[..2] {
        assert!(log.get(gone).await.expect_err("no longer kept").is_gap());
    }
    let before_the_first = ids[0].as_str().replace(".1", ".0").parse().expect("an id");
    assert!(log.get(&before_the_first).await.expect_err("none has it").is_gap());
    for (id, data) in ids[2..].iter().zip(["3", "4"]) {
        let frame = log.get(id).await.expect("kept");
        assert_eq!(frame.to_event().data.as_deref(), Some(data));
        assert_eq!(frame.id(), Some(id));
    }
}
