//! A log that ends with its last events, in one step.

use std::time::Duration;

use sse_core::{Error, Event, EventLog, LogOptions, NewEvent, Start, StreamResponse};
use tokio::time::Instant;

use crate::support::client::{Client, request, request_after};
use crate::support::clock;
use crate::support::script::numbers;

fn events(numbers: impl IntoIterator<Item = u32>) -> Vec<Event> {
    numbers.into_iter().map(|n| Event::new(n.to_string())).collect()
}

fn once(key: &str, text: &str) -> NewEvent {
    Event::new(text).idempotency_key(key).expect("a key")
}

async fn texts(log: &EventLog) -> Vec<String> {
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_to_end().await
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_connected_gets_all_events_and_then_the_end() {
    let log = EventLog::in_memory(10);
    log.append_all(events(1..=3)).await.expect("stored");
    let mut live = Client::open(log.feed().no_retry());
    let mut behind = Client::open(log.feed().start_at(Start::Oldest));
    live.read_all().await;
    let waiting = tokio::spawn(async move {
        let read = live.read_to_end().await;
        (read, live.text().contains("retry:"))
    });
    tokio::task::yield_now().await;
    let ids = log.finish_with(events(4..=6)).await.expect("stored");
    assert_eq!(waiting.await.expect("it ends"), (numbers(4..=6), false));
    assert_eq!(behind.read_to_end().await, numbers(1..=6));
    let status = |request| StreamResponse::new(&request, &log, clock::timer()).status;
    assert_eq!((ids.len(), &log.stats().newest), (3, &ids[2]));
    assert_eq!(status(request_after(&ids[2])), 204, "it asks no more");
    assert_eq!(status(request()), 204, "it would begin live");
    assert_eq!(Client::resume(&log, &ids[0]).read_to_end().await, numbers(5..=6));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_topics_that_no_last_event_has_gets_the_end() {
    let log = EventLog::in_memory(10);
    let mut client = Client::open(log.topics(["a"]).expect("kept"));
    client.read_all().await;
    let waiting = tokio::spawn(async move {
        client.read_to_end().await;
        client.text().contains("data: 1")
    });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    log.finish_with([NewEvent::from("1").topic("b").expect("a topic")]).await.expect("stored");
    assert!(!waiting.await.expect("it ends"));
    assert_eq!(begun.elapsed(), Duration::ZERO, "it does not wait for its next keep-alive");
}

#[tokio::test(start_paused = true)]
async fn without_events_it_finishes_the_log_and_a_second_time_changes_nothing() {
    let log = EventLog::in_memory(10);
    log.append("1").await.expect("stored");
    let mut client = Client::open(&log);
    client.read_all().await;
    for _ in 0..2 {
        let ids = log.finish_with([""; 0]).await.expect("nothing fails in memory");
        assert!(ids.is_empty());
        assert!(log.stats().is_finished);
    }
    assert_eq!(client.read_to_end().await, numbers([]));
}

/// An event without data, one that is too large, and one without a topic.
#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_one_of_the_events_stores_none_and_is_not_finished() {
    let options = LogOptions::new().largest_event(100).topics_required(true);
    let log = EventLog::in_memory_with(clock::timer(), options);
    let event = |text: String| NewEvent::from(text).topic("a").expect("a topic");
    type Question = fn(&Error) -> bool;
    let refused: [(NewEvent, Question); 3] = [
        (Event::default().topic("a").expect("a topic"), Error::is_invalid_event),
        (event("x".repeat(101)), Error::is_too_large),
        (NewEvent::from("without"), Error::is_invalid_topic),
    ];
    for (refused, is_why) in refused {
        let batch = [event("first".into()), refused];
        let error = log.finish_with(batch).await.expect_err("one of them is refused");
        assert!(is_why(&error), "{error}");
        assert_eq!((log.stats().events, log.stats().is_finished), (0, false));
    }
    log.finish_with([event("first".into())]).await.expect("stored");
    assert_eq!(texts(&log).await, ["first"]);
}

#[tokio::test(start_paused = true)]
async fn a_finished_log_refuses_further_events_and_still_answers_what_it_knows() {
    let log = EventLog::in_memory(10);
    let known = log.append(once("a", "1")).await.expect("stored");
    let last = || [once("a", "1 again"), once("b", "2"), once("b", "2 again")];
    let ids = log.finish_with(last()).await.expect("stored");
    assert_eq!((&ids[0], &ids[1]), (&known, &ids[2]));
    assert_eq!(log.finish_with(last()).await.expect("known"), ids);
    assert_eq!(log.append_all(last()).await.expect("known"), ids);
    for more in [vec![NewEvent::from("3")], vec![once("b", "2"), once("c", "3")]] {
        assert!(log.finish_with(more).await.expect_err("refused").is_finished());
    }
    assert_eq!(texts(&log).await, numbers(1..=2));
}

/// All of them came before, and only the end was missing.
#[tokio::test(start_paused = true)]
async fn events_that_are_known_are_not_added_again_and_the_log_ends() {
    let log = EventLog::in_memory(10);
    let known = log.append(once("a", "1")).await.expect("stored");
    let mut client = Client::open(&log);
    client.read_all().await;
    assert_eq!(log.finish_with([once("a", "1 again")]).await.expect("known"), [known]);
    assert_eq!(client.read_to_end().await, numbers([]));
    assert!(log.stats().is_finished);
}

#[tokio::test(start_paused = true)]
async fn keys_and_topics_are_those_of_a_batch() {
    let log = EventLog::in_memory(10);
    let of = |topic: &str, n: u32| NewEvent::from(n.to_string()).topic(topic).expect("a topic");
    let keyed = |topic: &str, n: u32| of(topic, n).key("k").expect("a key");
    log.append(keyed("a", 1)).await.expect("stored");
    let mut of_a = Client::open(log.topics(["a"]).expect("kept"));
    let mut of_b = Client::open(log.topics(["b"]).expect("kept"));
    of_a.read_all().await;
    of_b.read_all().await;
    log.finish_with([keyed("b", 2), of("a", 3), keyed("a", 4)]).await.expect("stored");
    assert_eq!(of_a.read_to_end().await, numbers(3..=4));
    of_b.read_to_end().await;
    assert!(!of_b.text().contains("data: 2"), "another event has replaced it");
    assert_eq!(texts(&log).await, numbers(3..=4));
}
