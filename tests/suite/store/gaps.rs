//! A client gets a `reset` at a gap, and only there.

use std::time::Duration;

use sse_core::{EventId, Start, StoreOptions};
use sse_test_kit::client::{Client, status_after};

use super::process::Process;
use super::tools::{all_after, numbers, open_with, soon};
use crate::suite::store_engine::Engine;
use sse_test_kit::eventually::eventually;
use sse_test_kit::waiting::PATIENCE;

/// Only the ids of events whose successors are all kept are no gap.
pub async fn never_misses_a_gap_after_trimming(engine: &dyn Engine) {
    let options = StoreOptions::new().events(50).tail_events(10);
    let process = Process::with(engine, options.clone()).await;
    let ids = process.append_all(0..200).await;
    let store = open_with(engine, options.clone()).await;
    soon("there are 50 events", async {
        while all_after(&*store, sse_core::Position::START).await.len() > 50 {
            store.retain(&options.retention()).await.expect("retained");
        }
    })
    .await;
    let other = Process::with(engine, options).await;
    for process in [&process, &other] {
        for too_old in [0, 100, 148] {
            let mut client = Client::resume(&process.log, &ids[too_old]);
            let texts = client.read_until(51).await;
            assert_eq!(client.reset(0), "too-old");
            assert_eq!(texts[1..], numbers(150..200), "and then all that is kept");
            let said: serde_json::Value = serde_json::from_str(&texts[0]).expect("JSON");
            assert_eq!(said["oldest"].as_str(), Some(ids[150].as_str()));
        }
        for complete in [149, 150, 180, 198] {
            let mut client = Client::resume(&process.log, &ids[complete]);
            let texts = client.read_until(199 - complete).await;
            assert_eq!(texts, numbers(complete + 1..200), "all that comes after it is kept");
        }
    }
}

pub async fn takes_no_deleted_event_for_a_gap(engine: &dyn Engine) {
    let options = StoreOptions::new().tail_events(3);
    let (process, other) =
        (Process::with(engine, options.clone()).await, Process::with(engine, options).await);
    let ids = process.append_all(0..10).await;
    for deleted in [0, 4, 8, 9] {
        soon("it is deleted", process.log.delete(&ids[deleted])).await.expect("deleted");
    }
    // The other process learns of it within `store_check`.
    let log = &other.log;
    soon("it is deleted everywhere", async {
        loop {
            let mut client = Client::open(log.feed().start_at(Start::Oldest));
            client.read_for(Duration::from_millis(200)).await;
            if client.events() == ["1", "2", "3", "5", "6", "7"] {
                break;
            }
        }
    })
    .await;
    for process in [&process, &other] {
        let mut from_a_deleted_one = Client::resume(&process.log, &ids[4]);
        assert_eq!(from_a_deleted_one.read_until(3).await, ["5", "6", "7"]);
        let mut from_the_newest = Client::resume(&process.log, &ids[9]);
        let next = process.append("next").await;
        assert_eq!(from_the_newest.read_until(1).await, ["next"]);
        assert_eq!(from_a_deleted_one.read_until(4).await[3], "next");
        soon("it is deleted", process.log.delete(&next)).await.expect("deleted");
    }
}

pub async fn tells_of_ids_that_nobody_gave(engine: &dyn Engine) {
    let process = Process::start(engine).await;
    let ids = process.append_all(0..3).await;
    let (epoch, _) = ids[0].as_str().split_once('.').expect("epoch and position");
    let ahead = format!("{epoch}.18446744073709551615-18446744073709551615");
    for (id, reason) in
        [("another.1", "other-epoch"), (ahead.as_str(), "ahead-of-head"), ("nonsense", "unknown")]
    {
        let mut client = Client::resume(&process.log, id);
        assert_eq!(client.read_until(4).await[1..], numbers(0..3));
        assert_eq!(client.reset(0), reason);
    }
}

/// Every stream of every process is told of it, and gets what is kept with its new ids.
pub async fn tells_every_stream_of_a_new_epoch(engine: &dyn Engine) {
    let (process, other) = (Process::start(engine).await, Process::start(engine).await);
    process.append_all(0..3).await;
    let mut clients =
        [&process, &other].map(|p| Client::open(p.log.feed().start_at(Start::Oldest)));
    for client in &mut clients {
        client.read_until(3).await;
    }
    let before = process.log.stats().newest;
    soon("another epoch begins", process.log.new_epoch()).await.expect("begun");
    for client in &mut clients {
        assert_eq!(client.read_until(7).await[4..], numbers(0..3));
        assert_eq!(client.reset(3), "other-epoch");
        let old = client.parsed()[2].last_event_id.clone();
        assert_ne!(client.parsed()[6].last_event_id, old, "other ids");
    }
    for process in [&process, &other] {
        let mut late = Client::resume(&process.log, &before);
        late.read_until(4).await;
        assert_eq!(late.reset(0), "other-epoch");
    }
    process.append(3).await;
    for client in &mut clients {
        assert_eq!(client.read_until(8).await[7], "3");
    }
}

/// 204 for a client at the end, in every process; what is kept can still be read.
pub async fn ends_every_stream_of_a_finished_log(engine: &dyn Engine) {
    let (process, other) = (Process::start(engine).await, Process::start(engine).await);
    let ids = process.append_all(0..3).await;
    let mut clients =
        [&process, &other].map(|p| Client::open(p.log.feed().start_at(Start::Oldest)));
    for client in &mut clients {
        client.read_until(3).await;
    }
    soon("it is finished", process.log.finish()).await.expect("finished");
    for client in &mut clients {
        assert_eq!(client.read_to_end().await, numbers(0..3));
    }
    let third = Process::start(engine).await;
    for process in [&process, &other, &third] {
        let log = &process.log;
        eventually(PATIENCE, "it is known to be finished", || log.stats().is_finished).await;
        assert_eq!(status_after(log, &ids[2]), 204, "a client at the end asks no more");
        assert_eq!(Client::resume(log, &ids[0]).read_to_end().await, numbers(1..3));
        let refused = soon("it is refused", log.append("more")).await;
        assert!(refused.expect_err("it is finished").is_finished());
    }
    let unknown = EventId::from_static("another.1");
    assert_eq!(
        Client::resume(&other.log, unknown).read_to_end().await.len(),
        4,
        "a reset, and all"
    );
}
