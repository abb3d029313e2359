//! Streams of topics over a store.

use std::collections::BTreeSet;
use std::time::Duration;

use sse_core::{Event, EventLog, Start, StoreOptions, TopicSet};
use sse_test_kit::client::{Client, status_after};
use sse_test_kit::eventually::eventually;
use sse_test_kit::waiting::PATIENCE;

use super::process::Process;
use super::tools::soon;
use super::topics::of_topics;
use crate::suite::store_engine::Engine;

/// A small tail, so that most is read from behind it.
fn small_tail() -> StoreOptions {
    StoreOptions::new().tail_events(10)
}

/// Appends as many events, the event n of the topic `room/{n % 50}`; each 50th has no topic.
async fn fill(process: &Process, count: usize) -> Vec<sse_core::EventId> {
    let events = (0..count).map(|n| match n % 50 {
        0 => of_topics(n, [""; 0]),
        room => of_topics(n, [format!("room/{room}"), format!("hall/{}", room % 3)]),
    });
    soon("they are stored", process.log.append_all(events)).await.expect("stored")
}

/// The numbers of the events that a stream of these rooms gets.
fn expected(rooms: &[usize], from: usize, to: usize) -> Vec<String> {
    let is_for = |n: &usize| n.is_multiple_of(50) || rooms.contains(&(n % 50));
    (from..to).filter(is_for).map(|n| n.to_string()).collect()
}

fn set(rooms: &[usize]) -> TopicSet {
    TopicSet::new(rooms.iter().map(|room| format!("room/{room}"))).expect("topics")
}

/// From the oldest, from any id, by the newest n; in both processes.
pub async fn streams_the_events_of_topics_from_behind_the_tail(engine: &dyn Engine) {
    let process = Process::with(engine, small_tail()).await;
    let ids = fill(&process, 2500).await;
    let other = Process::with(engine, small_tail()).await;
    for process in [&process, &other] {
        let log = &process.log;
        eventually(PATIENCE, "all has come", || log.stats().newest == ids[2499]).await;
        for rooms in [&[7][..], &[], &[1, 2, 3, 49], &(1..50).collect::<Vec<_>>()] {
            let feed = log.topics(set(rooms)).expect("kept");
            let all = expected(rooms, 0, 2500);
            let mut oldest = Client::open(feed.clone().start_at(Start::Oldest));
            assert_eq!(oldest.read_until(all.len()).await, all);
            for from in [1, 300, 2480] {
                let mut client = Client::resume(feed.clone(), &ids[from - 1]);
                let rest = expected(rooms, from, 2500);
                assert_eq!(client.read_until(rest.len()).await, rest);
            }
            for count in [1, 2, 30] {
                let mut client = Client::open(feed.clone().start_at(Start::Last(count)));
                let last = &all[all.len().saturating_sub(count)..];
                assert_eq!(client.read_until(last.len()).await, last);
            }
        }
    }
}

/// Clients that come back after a few events, each time with other topics, to one process or the other.
pub async fn resumes_another_set_of_topics_in_another_process(engine: &dyn Engine) {
    let processes =
        [Process::with(engine, small_tail()).await, Process::with(engine, small_tail()).await];
    let first = processes[0].append("first").await.to_string();
    let ids = fill(&processes[1], 1000).await;
    let newest = ids.last().expect("some").as_str();
    let (mut last, mut random) = (first, fastrand::Rng::with_seed(5));
    let mut at = 0;
    while at < 1000 {
        let rooms: BTreeSet<_> = (0..random.usize(1..8)).map(|_| random.usize(1..50)).collect();
        let rooms: Vec<_> = rooms.into_iter().collect();
        let log = &processes[random.usize(..2)].log;
        eventually(PATIENCE, "all has come", || log.stats().newest.as_str() == newest).await;
        let rest = expected(&rooms, at, 1000);
        let some = random.usize(1..20).min(rest.len());
        if some == 0 {
            break;
        }
        let mut client = Client::resume(log.topics(set(&rooms)).expect("kept"), &last);
        let read = client.read_until(some).await;
        assert_eq!(read[..some], rest[..some]);
        at = read.last().expect("some").parse::<usize>().expect("a number") + 1;
        last = client.parser.last_event_id().to_owned();
    }
}

/// A single event, and a page, by topics: an id is no right.
pub async fn gives_no_event_of_other_topics_by_its_id(engine: &dyn Engine) {
    let process = Process::with(engine, small_tail()).await;
    let ids = fill(&process, 200).await;
    let log = &process.log;
    eventually(PATIENCE, "all has come", || log.stats().newest == ids[199]).await;
    let mine = set(&[7]);
    for own in [7, 57, 50, 157, 150] {
        let frame = soon("it is read", log.get_in(&mine, &ids[own])).await.expect("its own");
        assert_eq!(frame.to_event().data.as_deref(), Some(&*own.to_string()));
    }
    for other in [8, 99, 199] {
        let refused = soon("it is read", log.get_in(&mine, &ids[other])).await;
        assert!(refused.expect_err("it is another's").is_gap());
    }
    let (mut after, mut found) = (ids[0].clone(), Vec::new());
    loop {
        let some = soon("they are read", log.read_after_in(&mine, &after, 3)).await.expect("read");
        let Some(last) = some.last() else { break };
        after = last.id().expect("an id").clone();
        found.extend(
            some.iter().filter_map(|frame| frame.to_event().data.as_deref().map(str::to_owned)),
        );
    }
    assert_eq!(found, expected(&[7], 1, 200));
}

/// An event without topics that another process has stored is word to everybody, unless the log requires topics.
pub async fn gives_events_without_topics_to_no_stream_of_a_log_that_requires_them(
    engine: &dyn Engine,
) {
    let careless = Process::with(engine, small_tail()).await;
    let careful = Process::with(engine, small_tail().topics_required(true)).await;
    let refused = careful.log.append(Event::new("a slip")).await.expect_err("it has no topic");
    assert!(refused.is_invalid_topic(), "{refused}");
    let ids = fill(&careless, 200).await;
    eventually(PATIENCE, "all has come", || careful.log.stats().newest == ids[199]).await;
    let feed = careful.log.topics(set(&[7])).expect("kept");
    let mut client = Client::open(feed.start_at(Start::Oldest));
    assert_eq!(client.read_until(4).await, ["7", "57", "107", "157"]);
    let refused = careful.log.get_in(&set(&[7]), &ids[50]).await;
    assert!(refused.expect_err("it has no topic").is_gap());
}

/// They are stored in one step with the end, also behind the tail of another process.
pub async fn ends_a_stream_of_topics_after_the_last_events_of_its_topics(engine: &dyn Engine) {
    let process = Process::with(engine, small_tail()).await;
    let ids = fill(&process, 100).await;
    // At the end it may be told a position after its last event.
    let of_7 = |log: &EventLog| log.topics(set(&[7])).expect("kept").no_position_event();
    let mut live = Client::resume(of_7(&process.log), &ids[99]);
    let last = (100..150).map(|n| match n {
        120 => of_topics(n, ["room/7"]).key("of 7").expect("a key"),
        149 => of_topics(n, ["room/7", "room/49"]),
        _ => of_topics(n, [format!("room/{}", n % 50)]),
    });
    soon("it is finished", process.log.finish_with(last)).await.expect("stored");
    assert_eq!(live.read_to_end().await, ["107", "120", "149"]);
    let other = Process::with(engine, small_tail()).await;
    for process in [&process, &other] {
        let log = &process.log;
        eventually(PATIENCE, "it is known to be finished", || log.stats().is_finished).await;
        let mut client = Client::resume(of_7(log), &ids[56]);
        assert_eq!(client.read_to_end().await, ["57", "107", "120", "149"]);

        // Nothing is so new: a first visit is told the end, with which it comes back to the 204.
        let newest = log.feed().start_at(Start::Since(Duration::ZERO));
        let mut client = Client::open(newest.clone());
        assert!(client.read_to_end().await.is_empty());
        assert!(!client.last_event_id().is_empty(), "an id alone");
        assert_eq!(status_after(newest, client.last_event_id()), 204);
    }
}
