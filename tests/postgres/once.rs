//! Idempotency keys, of processes that append the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::store::{EncodedEvent, Store, StoreError};
use sse_log_postgres::{EngineOptions, StoreOptions};

use crate::tools::{Processes, append, event, keyed_once, open, soon, texts};

fn once(key: &str) -> EncodedEvent {
    crate::tools::once(key, key)
}

/// Redundant producers: each in an order of its own.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_append_the_same_keys_in_any_order_do_not_lock_one_another_out() {
    let postgres = Postgres::start().await;
    let begun = Instant::now();
    let mut appends = Vec::new();
    let stores = join_all((0..4).map(|_| open(&postgres))).await;
    for (seed, store) in stores.into_iter().enumerate() {
        let store = Arc::new(store);
        let mut keys: Vec<usize> = (0..200).collect();
        fastrand::Rng::with_seed(seed as u64).shuffle(&mut keys);
        for key in keys {
            let store = Arc::clone(&store);
            appends
                .push(tokio::spawn(async move { store.append(&[once(&key.to_string())]).await }));
        }
    }
    for appended in join_all(appends).await {
        appended.expect("no panic").expect("stored, or known");
    }
    // A deadlock is found after a second, and each of these rounds had some.
    assert_eq!(postgres.logged("deadlock detected"), 0, "after {:?}", begun.elapsed());
    assert_eq!(texts(&open(&postgres).await).await.len(), 200);
}

#[tokio::test]
async fn an_append_that_is_tried_again_gives_the_first_answer_also_once_the_event_is_gone() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let keyed = |once: &str| keyed_once("k", once, once);
    let trimmed = store.append(&[once("trimmed")]).await.expect("stored");
    let deleted = store.append(&[once("deleted")]).await.expect("stored");
    let superseded = store.append(&[keyed("superseded")]).await.expect("stored");
    store.append(&[keyed("newer")]).await.expect("stored");
    append(&store, "newest").await;
    store.delete(deleted.positions[0]).await.expect("deleted");
    let one = StoreOptions::new().events(1);
    store.retain(&one.retention()).await.expect("retained");
    assert_eq!(texts(&store).await, ["newest"]);
    let other = open(&postgres).await;
    for (event, first) in [
        (once("deleted"), &deleted),
        (keyed("superseded"), &superseded),
        (once("trimmed"), &trimmed),
    ] {
        let again = other.append(std::slice::from_ref(&event)).await.expect("known");
        assert_eq!(again, *first);
    }
}

#[tokio::test]
async fn a_key_is_known_while_no_more_came_than_events_are_kept_and_is_pushed_out_after_that() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new().events(10);
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options.clone()).await.expect("a name");
    let first = store.append(&[once("first")]).await.expect("stored");
    for n in 0..10 {
        store.append(&[once(&n.to_string())]).await.expect("stored");
        store.retain(&options.retention()).await.expect("retained");
        assert_eq!(store.append(&[once("first")]).await.expect("known"), first, "after {n}");
    }
    for n in 10..20 {
        store.append(&[once(&n.to_string())]).await.expect("stored");
    }
    store.retain(&options.retention()).await.expect("retained");
    assert_ne!(store.append(&[once("first")]).await.expect("stored"), first);
}

#[tokio::test]
async fn an_append_that_is_tried_again_is_answered_though_the_log_is_finished() {
    let postgres = Postgres::start().await;
    let (store, other) = (open(&postgres).await, open(&postgres).await);
    let first = store.append(&[once("order-7")]).await.expect("stored");
    other.finish().await.expect("finished");
    let (known, unknown, plain) = ([once("order-7")], [once("order-8")], [event("plain")]);
    let both = [once("order-7"), once("order-8")];
    let (known, unknown, plain, both) = soon(async {
        tokio::join!(
            store.append(&known),
            store.append(&unknown),
            store.append(&plain),
            store.append(&both)
        )
    })
    .await;
    assert_eq!(known.expect("known"), first);
    for refused in [unknown, plain, both] {
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
    }
}

#[tokio::test]
async fn in_a_new_epoch_it_is_stored_again_under_an_id_of_that_epoch() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let first = store.append(&[once("a")]).await.expect("stored");
    let epoch = store.begin_epoch(first.epoch).await.expect("begun");
    let second = store.append(&[once("a")]).await.expect("stored");
    assert_eq!(second.epoch, epoch);
    assert!(second.positions[0] > first.positions[0]);
    assert_eq!(store.append(&[once("a")]).await.expect("known"), second);
}

/// After the window it is new.
#[tokio::test]
async fn a_key_is_forgotten_after_its_window() {
    let postgres = Postgres::start().await;
    let idempotency_window = Duration::from_millis(200);
    let options = StoreOptions::new().idempotency_window(idempotency_window);
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options).await.expect("a name");
    let first = store.append(&[once("a")]).await.expect("stored");
    soon(async { while store.append(&[once("a")]).await.expect("stored") == first {} }).await;
}
