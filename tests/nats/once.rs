//! Idempotency keys, where several bring them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_conformance::suite::store_engine::Durable;
use sse_core::StoreOptions;
use sse_core::store::Store;

use crate::relay::Relay;
use crate::tools::{
    api, append_all, bounds, event, flood, keyed_once, messages, once, open, open_at, open_with,
    texts,
};

/// Alone and in batches that overlap, from several processes: each once, and all are told the same positions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_stored_once_though_many_processes_bring_it_in_many_batches() {
    let nats = Nats::start().await;
    let handles = join_all((0..4).map(|_| open(&nats))).await;
    for round in 0..30 {
        let key = |n: usize| once(format!("{round} {n}"), format!("{round} {n}"));
        let batches = [
            vec![key(0), key(1)],
            vec![key(1), key(2), key(0)],
            vec![key(2)],
            vec![key(1), key(1), key(0)],
        ];
        let answers = handles.iter().zip(&batches).map(|(store, batch)| append_all(store, batch));
        let answers = join_all(answers).await;
        assert_eq!((answers[0][0], answers[0][1]), (answers[1][2], answers[1][0]));
        assert_eq!(answers[1][1], answers[2][0]);
        assert_eq!(answers[3], [answers[0][1], answers[0][1], answers[0][0]]);
    }
    let mut all = texts(&handles[0]).await;
    assert_eq!(all.len(), 90);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 90, "none twice");
}

/// A process that claimed a key and died has stored nothing: the next is not told that the key is known.
#[tokio::test]
async fn a_key_that_was_claimed_and_never_stored_is_free() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let epoch = bounds(&store).await.epoch;
    for key in ["alone", "in-a-batch"] {
        let (id, note) = (format!("{epoch}.{key}"), b"~00000000000000000000000000000001 0");
        nats.publish("sse.log.m.note", &[("Nats-Msg-Id", &id)], note).expect("an answer");
    }
    let alone = append_all(&store, &[once("alone", 1)]).await;
    let batch = append_all(&store, &[once("in-a-batch", 2), event(3)]).await;
    assert_eq!(texts(&store).await, ["1", "2", "3"]);
    assert_eq!(
        append_all(&store, &[once("in-a-batch", "again"), once("alone", "again")]).await,
        [batch[0], alone[0]]
    );
}

/// Also if the note on the key is older than the dropped events, and the server starts again.
#[tokio::test]
async fn a_key_is_known_for_as_long_as_its_event_is_kept() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let positions = append_all(&store, &[event(0), event(1), once("key", 2)]).await;
    let retention = StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    store.retain(&retention).await.expect("retained");
    nats.crash().await;
    let store = open(&nats).await;
    assert_eq!(append_all(&store, &[once("key", "again")]).await, positions[2..]);
}

/// Once the window has passed they are of no use.
#[tokio::test]
async fn notes_on_keys_are_dropped_with_the_events() {
    let nats = Nats::start().await;
    let window = Duration::from_millis(100);
    let options = StoreOptions::new().idempotency_window(window).events(1);
    let store = open_with(&nats, options.clone()).await;
    append_all(&store, &[once("a", 0), once("b", 1)]).await;
    append_all(&store, &[event(2)]).await;
    assert_eq!(messages(&nats), 4, "two notes, a batch, an event");
    store.retain(&options.retention()).await.expect("retained");
    assert_eq!(messages(&nats), 3, "the notes are too new, by clocks that may differ");
    let info = api(&nats, "STREAM.INFO.SSE_log", json!({}));
    assert_eq!(info["config"]["duplicate_window"], 100_000_000);
}

/// They would be in the way of readers, in a log that has much room and few events.
#[tokio::test]
async fn many_notes_are_dropped_once_they_are_old() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    append_all(&store, &[once("a", 0), once("b", 1)]).await;
    flood(&nats, "sse.log.m.note", "x", 10_000).await;
    append_all(&store, &[event(2)]).await;
    let keeps_all = StoreOptions::default().retention();
    store.retain(&keeps_all).await.expect("retained");
    assert_eq!(messages(&nats), 10_004, "they may be needed yet");
    relay.younger_from(10_004);
    store.retain(&keeps_all).await.expect("retained");
    assert_eq!(messages(&nats), 2);
    assert_eq!(texts(&store).await, ["0", "1", "2"]);
}

/// Each claims what the other wants, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_overlap_do_not_wait_for_one_another() {
    let nats = Nats::start().await;
    let (one, other) = (open(&nats).await, open(&nats).await);
    let mut slow = 0;
    for round in 0..30 {
        let begun = Instant::now();
        let batch = |from: usize| -> Vec<_> {
            (from..from + 40).map(|n| once(format!("{round} {n:03}"), n)).collect()
        };
        let (first, second) = (batch(0), batch(1));
        let (first, second) =
            futures_util::future::join(append_all(&one, &first), append_all(&other, &second)).await;
        assert_eq!(first[1..], second[..39]);
        slow += usize::from(begun.elapsed() >= Duration::from_millis(500));
    }
    assert_eq!(texts(&one).await.len(), 30 * 41);
    assert!(slow <= 2, "{slow} of 30 waited to the end of their patience");
}

/// Neither is the batch itself fetched, nor does each of its keys wait.
#[tokio::test]
async fn a_batch_that_is_tried_again_costs_little() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let batch: Vec<_> = (0..300).map(|n| once(n, "x".repeat(10_000))).collect();
    let first = append_all(&store, &batch).await;
    let before = relay.carried().0;
    let begun = Instant::now();
    assert_eq!(append_all(&store, &batch).await, first);
    let bytes = relay.carried().0 - before;
    assert!(bytes < 1_000_000, "{bytes} bytes for a batch of 3 MB");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let mut some = batch[250..].to_vec();
    some.insert(10, event("between"));
    some.push(once("new", "new"));
    some.push(batch[0].clone());
    let positions = append_all(&store, &some).await;
    assert_eq!((&positions[..10], positions[52]), (&first[250..260], first[0]));
    assert_eq!(append_all(&store, &[once("new", "again")]).await, positions[51..52]);
    assert_eq!(texts(&store).await.len(), 302);
}

#[tokio::test]
async fn a_key_is_known_once_its_event_was_trimmed_deleted_or_superseded_and_after_the_end() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let batch = |n: usize| {
        [once(format!("{n} a"), n), once(format!("{n} b"), n), once(format!("{n} c"), n)]
    };
    let alone = once("alone", 1);
    let superseded = || keyed_once("key", "superseded", 2);
    let trimmed = append_all(&store, &batch(0)).await;
    let trimmed_alone = append_all(&store, std::slice::from_ref(&alone)).await;
    append_all(&store, &[event(0)]).await;
    let retention = StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    let deleted = append_all(&store, &batch(1)).await;
    for position in &deleted {
        store.delete(*position).await.expect("deleted");
    }
    let before = append_all(&store, &[superseded()]).await;
    append_all(&store, &[crate::tools::keyed("key", 3)]).await;
    for is_finished in [false, true] {
        if is_finished {
            store.finish().await.expect("finished");
        }
        let other = open(&nats).await;
        assert_eq!(append_all(&other, &batch(0)).await, trimmed);
        assert_eq!(append_all(&other, std::slice::from_ref(&alone)).await, trimmed_alone);
        assert_eq!(append_all(&other, &batch(1)).await, deleted);
        assert_eq!(append_all(&other, &[superseded()]).await, before);
    }
}

#[tokio::test]
async fn a_key_is_stored_again_in_a_new_epoch_under_an_id_of_that() {
    let nats = Nats::start().await;
    let (store, other) = (open(&nats).await, open(&nats).await);
    let batch = [once("a", 1), once("b", 2)];
    for round in 0..10 {
        let before = append_all(&store, &[once("alone", 0)]).await;
        let both = append_all(&store, &batch).await;
        let epoch = bounds(&store).await.epoch;
        let begun = store.begin_epoch(epoch).await.expect("begun");
        let again = other.append(&[once("alone", 0)]).await.expect("stored");
        assert_eq!(again.epoch, begun, "an append tells the epoch that it is of");
        assert!(again.positions[0] > before[0], "round {round}");
        assert!(append_all(&other, &batch).await[0] > both[1]);
        assert_eq!(append_all(&store, &[once("alone", 0)]).await, again.positions);
    }
}
