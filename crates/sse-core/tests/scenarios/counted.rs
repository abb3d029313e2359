//! Clients that count the events that they have, and continue by number.

use sse_core::{Event, EventLog, GapReason, LogOptions, NewEvent, Start, StoreOptions, TopicSet};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::clock;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Positions, ScriptedStore};

/// A log in memory, and one over each kind of store, of which three events are in memory.
async fn logs() -> Vec<(EventLog, Option<ScriptedStore>, Option<JoinHandle<()>>)> {
    let mut logs = vec![(EventLog::in_memory(1000), None, None)];
    for positions in [Positions::Dense, Positions::Sparse] {
        let store = ScriptedStore::on(clock::timer(), positions);
        let options = StoreOptions::new().tail_events(3);
        let opened = EventLog::open(store.clone(), options, clock::timer()).await;
        let (log, follower) = opened.expect("the store is up");
        let following = tokio::spawn(follower);
        logs.push((log, Some(store), Some(following)));
    }
    logs
}

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    let events = numbers.into_iter().map(|number| Event::new(number.to_string()));
    log.append_all(events).await.expect("stored");
}

fn skip(log: &EventLog, count: usize) -> Client {
    Client::open(log.feed().start_at(Start::Skip(count)))
}

/// Reads as much as there is after the first events. Returns the reason if that is a gap, and the events.
async fn skipped(log: &EventLog, count: usize, expected: usize) -> (Option<String>, Vec<String>) {
    let mut client = skip(log, count);
    client.read_until(expected).await;
    let mut events = client.read_all().await;
    let reason = match client.parsed().first() {
        Some(first) if first.event_type == "reset" => {
            let said: serde_json::Value = serde_json::from_str(&events.remove(0)).expect("JSON");
            Some(said["reason"].as_str().expect("a reason").to_owned())
        }
        _ => None,
    };
    (reason, events)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_the_first_events_gets_the_rest_and_then_what_comes() {
    for (log, ..) in logs().await {
        append(&log, 1..=300).await;
        for count in [0, 1, 150, 298, 299] {
            let rest = numbers(count as u64 + 1..=300);
            assert_eq!(skipped(&log, count, rest.len()).await, (None, rest), "{count}");
            let id = log.skip(count).await.expect("none is missing");
            let next = log.read_after(&id, 1).await.expect("an id");
            assert_eq!(next[0].to_event().data, Some((count + 1).to_string()));
        }
        let mut all = skip(&log, 300);
        assert_eq!(all.read_all().await, numbers([]));
        append(&log, [301]).await;
        all.read_until(1).await;
        assert_eq!(all.events(), numbers([301]));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_a_gap_if_there_are_not_so_many() {
    for (log, ..) in logs().await {
        append(&log, 1..=5).await;
        let expected = (Some("ahead-of-head".to_owned()), numbers(1..=5));
        assert_eq!(skipped(&log, 6, 6).await, expected);
        let error = log.skip(6).await.expect_err("there are five");
        assert_eq!(error.gap().expect("a gap").reason, GapReason::AheadOfHead);
        let unknown = (Some("unknown".to_owned()), numbers(1..=5));
        assert_eq!(skipped(&log, 1_000_001, 6).await, unknown, "too large a number");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_a_gap_if_one_of_them_was_dropped() {
    let log = EventLog::in_memory(LogOptions::new().events(5));
    append(&log, 1..=6).await;
    let expected = || (Some("too-old".to_owned()), numbers(2..=6));
    assert_eq!(skipped(&log, 5, 6).await, expected());
    assert!(log.skip(5).await.expect_err("the first is gone").is_gap());
    for (log, store, _) in logs().await.split_off(1) {
        append(&log, 1..=6).await;
        let store = store.expect("it is over a store");
        store.trim(1);
        assert_eq!(skipped(&log, 5, 6).await, expected());
        assert!(log.skip(5).await.expect_err("the first is gone").is_gap());
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_a_gap_if_one_of_them_was_deleted_or_superseded() {
    for is_keyed in [false, true] {
        for (log, ..) in logs().await {
            append(&log, [1]).await;
            let keyed = |number: u64| -> NewEvent {
                Event::new(number.to_string()).key("k").expect("a key")
            };
            let second = log.append(keyed(2)).await.expect("stored");
            append(&log, 3..=9).await;
            match is_keyed {
                true => _ = log.append(keyed(10)).await.expect("stored"),
                false => log.delete(&second).await.expect("it is there"),
            }
            let rest = if is_keyed {
                numbers((1..=10).filter(|n| *n != 2))
            } else {
                numbers((1..=9).filter(|n| *n != 2))
            };
            let got = skipped(&log, 4, rest.len() + 1).await;
            assert_eq!(got, (Some("too-old".to_owned()), rest), "keyed: {is_keyed}");
            assert!(log.skip(4).await.expect_err("the second is gone").is_gap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_topics_counts_its_own_events() {
    for (log, ..) in logs().await {
        let topics = TopicSet::new(["a"]).expect("a topic");
        let event = |n: u64| -> NewEvent {
            match n % 3 {
                0 => Event::new(n.to_string()).topic("a").expect("a topic"),
                1 => Event::new(n.to_string()).topic("b").expect("a topic"),
                _ => Event::new(n.to_string()).into(),
            }
        };
        log.append_all((1..=3000).map(event)).await.expect("stored");
        let own: Vec<u64> = (1..=3000).filter(|n| n % 3 != 1).collect();
        for count in [0, 1, 1000, 1500, 1999] {
            if log.stats().events == 1000 && count > 0 {
                continue; // in memory the first are gone
            }
            let feed = log.topics(&topics).expect("it keeps topics").start_at(Start::Skip(count));
            let mut client = Client::open(feed);
            let is_gap = log.stats().events == 1000;
            if !is_gap {
                client.read_until(own.len() - count).await;
                assert_eq!(client.events(), numbers(own[count..].iter().copied()), "{count}");
                let id = log.skip_in(&topics, count).await.expect("none is missing");
                let next = log.read_after_in(&topics, &id, 1).await.expect("an id");
                assert_eq!(next[0].to_event().data, Some(own[count].to_string()));
            } else {
                client.read_until(1).await;
                assert_eq!(client.parsed()[0].event_type, "reset");
            }
        }
        let ahead = log.skip_in(&topics, 2001).await.expect_err("there are 2000");
        assert!(ahead.is_gap());
    }
    // All in memory, by steps.
    let (log, topics) = (EventLog::in_memory(10_000), TopicSet::new(["a"]).expect("a topic"));
    let event =
        |n: u64| Event::new(n.to_string()).topic(if n.is_multiple_of(2) { "a" } else { "b" });
    log.append_all((1..=8000).map(|n| event(n).expect("a topic"))).await.expect("stored");
    let feed = log.topics(&topics).expect("it keeps topics").start_at(Start::Skip(3500));
    let events = Client::open(feed).read_all().await;
    assert_eq!(events, numbers((3501..=4000).map(|n| 2 * n)));
}

#[tokio::test(start_paused = true)]
async fn what_was_looked_at_for_keys_is_not_looked_at_again() {
    let (log, store, _following) = logs().await.pop().expect("the sparse one");
    let store = store.expect("it is over a store");
    append(&log, 1..=20_000).await;
    log.skip(5).await.expect("none is missing");
    let before = store.calls(Call::Read);
    for _ in 0..10 {
        log.skip(5).await.expect("none is missing");
    }
    let reads = store.calls(Call::Read) - before;
    assert!(reads <= 20, "{reads} reads");
}

/// The number would be the same gap again.
#[tokio::test(start_paused = true)]
async fn to_start_over_after_such_a_gap_is_to_begin_with_the_oldest() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let feed = log.feed().start_at(Start::Skip(7)).on_gap(sse_core::OnGap::StartOver);
    let mut client = Client::open(feed);
    assert_eq!(client.read_all().await[1..], numbers(1..=3));
}
