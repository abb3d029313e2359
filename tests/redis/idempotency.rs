//! The idempotency keys that are remembered, and for how long.

use std::time::Duration;

use sse_conformance::engines::Redis;
use sse_core::StoreOptions;
use sse_core::store::{Appended, EncodedEvent, Store};

use crate::tools::{STREAM, append, bounds, command, keyed, keyed_once, open_with, soon, until};

fn once(key: &str) -> EncodedEvent {
    crate::tools::once(key, key)
}

async fn store_once(store: &dyn Store, key: &str) -> Appended {
    soon(store.append(&[once(key)])).await.expect("stored")
}

async fn remembered(redis: &Redis) -> String {
    command(redis, format!("HLEN {STREAM}:once")).await
}

/// In the hash there is one field from the beginning, and two for each key.
#[tokio::test]
async fn keys_are_forgotten_when_their_window_has_passed() {
    let redis = Redis::start().await;
    let window = Duration::from_millis(300);
    let options = StoreOptions::new().idempotency_window(window);
    let store = open_with(&redis, options.clone()).await;
    for n in 0..100 {
        store_once(&*store, &n.to_string()).await;
    }
    until("they are forgotten", async || {
        store.retain(&options.retention()).await.expect("retained");
        remembered(&redis).await == ":1\r\n"
    })
    .await;
    for window in [Duration::MAX, Duration::ZERO] {
        let options = StoreOptions::new().idempotency_window(window);
        store_once(&*open_with(&redis, options).await, "x").await;
    }
}

#[tokio::test]
async fn as_many_keys_are_remembered_as_events_are_kept() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().events(10);
    let store = open_with(&redis, options).await;
    let first = store_once(&*store, "0").await;
    for n in 1..=10 {
        store_once(&*store, &n.to_string()).await;
    }
    assert_eq!(store_once(&*store, "0").await, first, "10 further keys came");
    assert_eq!(remembered(&redis).await, ":23\r\n");
    store_once(&*store, "11").await;
    assert_ne!(store_once(&*store, "0").await, first);
    for n in 20..200 {
        store_once(&*store, &n.to_string()).await;
    }
    assert_eq!(remembered(&redis).await, ":23\r\n", "and no more");
}

#[tokio::test]
async fn the_first_answer_stays_when_the_event_is_gone_and_the_log_finished() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().events(5);
    let store = open_with(&redis, options).await;
    let once_keyed = keyed_once("key", "keyed", "keyed");
    let trimmed = store_once(&*store, "trimmed").await;
    let superseded = store.append(std::slice::from_ref(&once_keyed)).await.expect("stored");
    let deleted = store_once(&*store, "deleted").await;
    store.append(&[keyed("key", "another")]).await.expect("stored");
    store.delete(deleted.positions[0]).await.expect("deleted");
    for n in 0..20 {
        append(&*store, n).await;
    }
    store.finish().await.expect("finished");
    redis_restarts(&redis).await;
    assert_eq!(store_once(&*store, "trimmed").await, trimmed);
    assert_eq!(store.append(&[once_keyed]).await.expect("known"), superseded);
    assert_eq!(store_once(&*store, "deleted").await, deleted);
}

async fn redis_restarts(redis: &Redis) {
    use sse_conformance::suite::store_engine::Durable;
    redis.crash().await;
}

#[tokio::test]
async fn after_a_new_epoch_an_event_is_stored_again_under_an_id_of_that_epoch() {
    let redis = Redis::start().await;
    let store = open_with(&redis, StoreOptions::default()).await;
    let first = store_once(&*store, "a").await;
    let epoch = store.begin_epoch(first.epoch).await.expect("begun");
    let again = store_once(&*store, "a").await;
    assert_eq!(again.epoch, epoch);
    assert!(again.positions[0] > first.positions[0]);
    assert_eq!(store_once(&*store, "a").await, again);
    assert_eq!(bounds(&*store).await.newest, again.positions[0]);
}
