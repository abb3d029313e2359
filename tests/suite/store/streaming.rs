//! A log over the store, and its clients: every event once, in order, in whatever process.

use std::time::Duration;

use futures_util::future::join_all;
use sse_core::{Event, OnGap, Snapshot, Start, StoreOptions, merge};
use sse_test_kit::client::Client;

use super::process::Process;
use super::tools::{numbers, soon};
use crate::suite::store_engine::Engine;
use sse_test_kit::eventually::eventually;
use sse_test_kit::waiting::PATIENCE;

/// A small tail, so that most is read from behind it.
fn small_tail() -> StoreOptions {
    StoreOptions::new().tail_events(10)
}

/// Two processes write, and the clients of both get the same.
pub async fn streams_the_same_events_to_the_clients_of_every_process(engine: &dyn Engine) {
    let processes = [Process::start(engine).await, Process::start(engine).await];
    let mut clients: Vec<_> =
        (0..6).map(|n| Client::open(processes[n % 2].log.feed().start_at(Start::Oldest))).collect();
    let writers = processes.iter().map(|process| async move {
        for n in 0..100 {
            process.append(n).await;
        }
    });
    join_all(writers).await;
    for client in &mut clients {
        client.read_until(200).await;
    }
    for client in &clients {
        assert_eq!(client.parsed(), clients[0].parsed(), "ids and all");
    }
}

/// Clients that are cut off after each few events, and come back to one process or the other.
pub async fn resumes_a_client_in_another_process(engine: &dyn Engine) {
    let processes =
        [Process::with(engine, small_tail()).await, Process::with(engine, small_tail()).await];
    let mut last = processes[0].append("first").await.to_string();
    let writing = async {
        for n in 0..300 {
            processes[n % 2].append(n).await;
        }
    };
    let reading = async {
        let mut seen = Vec::new();
        while seen.len() < 300 {
            let process = &processes[fastrand::usize(..2)];
            let mut client = Client::resume(&process.log, &last);
            client.read_until((300 - seen.len()).min(fastrand::usize(1..20))).await;
            seen.extend(client.events());
            last = client.parser.last_event_id().to_owned();
        }
        seen
    };
    let (seen, ()) = futures_util::join!(reading, writing);
    assert_eq!(seen, numbers(0..300));
}

/// Events that are not in memory are read from the store, and then the tail goes on.
pub async fn reads_what_is_behind_the_tail(engine: &dyn Engine) {
    let process = Process::with(engine, small_tail()).await;
    let ids = process.append_all(0..2500).await;
    let other = Process::with(engine, small_tail()).await;
    for process in [&process, &other] {
        let mut oldest = Client::open(process.log.feed().start_at(Start::Oldest));
        assert_eq!(oldest.read_until(2500).await, numbers(0..2500));
        for from in [1, 300, 2480, 2499] {
            let mut client = Client::resume(&process.log, &ids[from - 1]);
            assert_eq!(client.read_until(2500 - from).await, numbers(from..2500));
        }
        for count in [1, 10, 11, 1500] {
            let mut client = Client::open(process.log.feed().start_at(Start::Last(count)));
            assert_eq!(client.read_until(count).await, numbers(2500 - count..2500));
        }
        let mut live = Client::open(&process.log);
        live.read_for(Duration::from_millis(50)).await;
        assert!(live.parsed().is_empty(), "it begins with the next event");
    }
}

/// The id of an event that this process has not seen yet is no gap.
pub async fn waits_for_what_another_process_is_ahead_with(engine: &dyn Engine) {
    let (ahead, behind) = (Process::start(engine).await, Process::start(engine).await);
    for round in 0..20 {
        let id = ahead.append(format_args!("seen {round}")).await;
        // At once, before the follower of the other process brings it.
        let mut client = Client::resume(&behind.log, &id);
        let next = ahead.append(format_args!("next {round}")).await;
        assert_eq!(client.read_until(1).await, [format!("next {round}")]);
        assert_eq!(client.parsed()[0].last_event_id, next.as_str());
    }
}

/// Two logs in one stream, whose clients are cut off after each few events.
pub async fn resumes_a_merge_in_another_process(engine: &dyn Engine) {
    let start = async |name| {
        let store = engine.open(name, small_tail()).await.expect("the engine runs");
        Process::over(store, small_tail()).await.expect("the engine runs")
    };
    let a = [start("a").await, start("a").await];
    let b = [start("b").await, start("b").await];
    let feed = |n: usize| {
        let logs = [("a", &a[n].log), ("b", &b[n].log)];
        merge(logs).expect("two logs").start_at(Start::Oldest)
    };
    let writing = async {
        for n in 0..100 {
            a[n % 2].append(format!("a {n}")).await;
            b[n % 2].append(format!("b {n}")).await;
        }
    };
    let reading = async {
        let (mut seen, mut last) = (Vec::new(), String::new());
        while seen.len() < 200 {
            let mut client = Client::resume(feed(fastrand::usize(..2)), &last);
            client.read_until((200 - seen.len()).min(fastrand::usize(1..20))).await;
            seen.extend(client.events());
            last = client.parser.last_event_id().to_owned();
        }
        seen
    };
    let (seen, ()) = futures_util::join!(reading, writing);
    for name in ["a ", "b "] {
        let own: Vec<_> = seen.iter().filter_map(|text| text.strip_prefix(name)).collect();
        assert_eq!(own, numbers(0..100), "those of {name}");
    }
}

/// The state and its position may be of a database that all processes share.
pub async fn sends_a_snapshot_that_another_process_is_ahead_with(engine: &dyn Engine) {
    let (ahead, behind) = (Process::start(engine).await, Process::start(engine).await);
    for round in 0..20 {
        let at = ahead.append(format_args!("seen {round}")).await;
        // At once, before the follower of the other process brings it.
        let feed = behind.log.feed().on_gap(OnGap::snapshot(move |_| {
            let snapshot = Snapshot::new(["state"], at.clone());
            async { Ok(snapshot) }
        }));
        let mut client = Client::resume(feed, "nonsense");
        ahead.append(format_args!("next {round}")).await;
        assert_eq!(client.read_until(3).await[1..], ["state".to_owned(), format!("next {round}")]);
    }
}

pub async fn appends_once_what_is_tried_again_in_another_process(engine: &dyn Engine) {
    let (one, other) = (Process::start(engine).await, Process::start(engine).await);
    let mut client = Client::open(one.log.feed().start_at(Start::Oldest));
    for n in 0..20 {
        let (key, text) = (format!("order {n}"), n.to_string());
        let first = soon(
            "it is stored",
            one.log.append(Event::from(text.as_str()).idempotency_key(&key).expect("a key")),
        )
        .await;
        let again = soon(
            "it is known",
            other.log.append(Event::new("again").idempotency_key(&key).expect("a key")),
        )
        .await;
        assert_eq!(first.expect("stored"), again.expect("known"));
    }
    one.append(20).await;
    assert_eq!(client.read_until(21).await, numbers(0..21));
}

/// Those who come late get the newest event of each key.
pub async fn gives_those_who_come_late_the_newest_of_each_key(engine: &dyn Engine) {
    let process = Process::with(engine, small_tail()).await;
    let before = process.append("before").await;
    for n in 0..100 {
        let key = format!("key {}", n % 4);
        let text = n.to_string();
        soon(
            "it is stored",
            process.log.append(Event::from(text.as_str()).key(&key).expect("a key")),
        )
        .await
        .expect("stored");
    }
    let newest = process.append("after").await;
    let other = Process::with(engine, small_tail()).await;
    for process in [&process, &other] {
        let log = &process.log;
        eventually(PATIENCE, "the follower has brought all", || log.stats().newest == newest).await;
        let mut client = Client::resume(log, &before);
        assert_eq!(client.read_until(5).await, ["96", "97", "98", "99", "after"]);
    }
}
