//! An event whose idempotency key is known is not stored again.

use futures_util::future::join_all;
use sse_core::store::StoreError;
use sse_core::{Position, StoreOptions};

use super::tools::{
    all_after, append_all, bounds, event, keyed, keyed_once, once, open, soon, texts,
};
use crate::suite::store_engine::Engine;

pub async fn stores_an_event_once_whose_idempotency_key_is_known(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let first = append_all(&*store, &[once("a", "first")]).await;
    let second = append_all(&*store, &[once("b", "second")]).await;
    for store in [&store, &other] {
        assert_eq!(append_all(&**store, &[once("a", "again")]).await, first);
        assert_eq!(append_all(&**store, &[once("b", "again")]).await, second);
    }
    append_all(&*other, &[event("without"), event("without")]).await;
    let all = all_after(&*store, Position::START).await;
    assert_eq!(texts(&all), ["first", "second", "without", "without"]);
}

/// Some of a batch are known, and one comes twice in it.
pub async fn stores_of_a_batch_what_is_not_known_yet(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let known = append_all(&*store, &[once("a", "one"), once("b", "two")]).await;
    let batch = [
        once("c", "three"),
        once("b", "two again"),
        event("four"),
        once("c", "three again"),
        once("a", "one again"),
        once("d", "five"),
    ];
    let positions = append_all(&*other, &batch).await;
    assert_eq!([positions[4], positions[1]], known[..], "those of the first");
    assert_eq!(positions[0], positions[3], "known from earlier in the batch");
    assert!(positions[0] > known[1] && positions[0] < positions[2] && positions[2] < positions[5]);
    assert_eq!(append_all(&*store, &[once("d", "five again")]).await, positions[5..]);
    let all = all_after(&*store, Position::START).await;
    assert_eq!(texts(&all), ["one", "two", "three", "four", "five"]);
}

/// The first process stores it, and all get its position.
pub async fn stores_an_event_once_that_many_bring_at_the_same_time(engine: &dyn Engine) {
    let handles = join_all((0..4).map(|_| open(engine))).await;
    for round in 0..10 {
        let (key, text) = (format!("key {round}"), format!("event {round}"));
        let events = [once(&key, &text)];
        let writers = (0..8).map(|writer| append_all(&*handles[writer % 4], &events));
        let positions = join_all(writers).await;
        assert!(positions.iter().all(|position| *position == positions[0]), "{positions:?}");
    }
    let all = all_after(&*handles[0], Position::START).await;
    let expected: Vec<_> = (0..10).map(|round| format!("event {round}")).collect();
    assert_eq!(texts(&all), expected);
}

/// Trimmed, deleted, superseded; and once the log is finished.
pub async fn gives_the_first_answer_whatever_became_of_the_event(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let superseded = || keyed_once("k", "superseded", "old");
    let batch = || [once("trimmed", "one"), superseded(), once("deleted", "three")];
    let first = append_all(&*store, &batch()).await;
    append_all(&*store, &[keyed("k", "new")]).await;
    store.delete(first[2]).await.expect("deleted");
    append_all(&*store, &[event("newest")]).await;
    // The limit of events is also that of keys: it is not for their number that events go.
    let retention = StoreOptions::new().bytes(1).retention();
    soon("all but the newest are gone", async {
        while all_after(&*store, Position::START).await.len() > 1 {
            store.retain(&retention).await.expect("retained");
        }
    })
    .await;
    for store in [&store, &other] {
        assert_eq!(append_all(&**store, &batch()).await, first);
    }

    store.finish().await.expect("finished");
    for store in [&store, &other] {
        assert_eq!(append_all(&**store, &batch()).await, first, "after the end");
        let refused = store.append(&[once("unknown", "late")]).await;
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
    }
    assert_eq!(texts(&all_after(&*other, Position::START).await), ["newest"]);
}

pub async fn stores_an_event_again_in_a_new_epoch(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let first = store.append(&[once("a", "first")]).await.expect("appended");
    store.begin_epoch(bounds(&*store).await.epoch).await.expect("begun");
    let again = other.append(&[once("a", "again")]).await.expect("appended");
    assert_ne!(again.epoch, first.epoch);
    assert_eq!(again.epoch, bounds(&*store).await.epoch, "its id is of the new epoch");
    assert_eq!(store.append(&[once("a", "third")]).await.expect("appended"), again);
}
