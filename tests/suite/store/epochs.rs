//! All agree on the epoch of a log.

use std::sync::Arc;

use futures_util::future::join_all;
use sse_core::{Epoch, Position};

use super::tools::{Followed, all_after, append, append_all, bounds, event, open, soon, texts};
use crate::suite::store_engine::Engine;

/// If many begin an epoch in place of the same one, one succeeds, and all learn its result.
pub async fn begins_an_epoch_by_compare_and_set(engine: &dyn Engine) {
    let handles = join_all((0..4).map(|_| open(engine))).await;
    append_all(&*handles[0], &["one", "two"].map(event)).await;
    for _ in 0..5 {
        let before = bounds(&*handles[0]).await.epoch;
        let begun = join_all((0..16).map(|n| handles[n % 4].begin_epoch(before))).await;
        let now = bounds(&*handles[1]).await.epoch;
        assert_ne!(now, before);
        for begun in begun {
            assert_eq!(begun.expect("begun"), now, "all agree");
        }
        for stale in [before, Epoch::random().expect("random numbers")] {
            let answer = handles[2].begin_epoch(stale).await.expect("an answer");
            assert_eq!(answer, now, "it is another epoch already");
        }
        assert_eq!(bounds(&*handles[3]).await.epoch, now);
    }
}

/// Kept events stay, with their positions; new ones are of the new epoch.
pub async fn keeps_its_events_in_a_new_epoch(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    append_all(&*store, &["one", "two"].map(event)).await;
    let (before, events) = (bounds(&*store).await, all_after(&*store, Position::START).await);
    let epoch = store.begin_epoch(before.epoch).await.expect("begun");
    let after = bounds(&*other).await;
    assert_eq!((after.epoch, after.oldest, after.newest), (epoch, before.oldest, before.newest));
    assert_eq!(all_after(&*other, after.floor).await, events);
    let appended = other.append(&[event("three")]).await.expect("stored");
    assert_eq!(appended.epoch, epoch);
    assert!(appended.positions[0] > before.newest);
}

pub async fn is_of_one_epoch_for_all_who_open_it(engine: &dyn Engine) {
    // At the same time, since each may be the first.
    let handles = join_all((0..8).map(|_| open(engine))).await;
    let epoch = bounds(&*handles[0]).await.epoch;
    for store in &handles {
        assert_eq!(bounds(&**store).await.epoch, epoch);
        assert_eq!(store.append(&[event("x")]).await.expect("stored").epoch, epoch);
    }
    let another = soon("another log is open", engine.open("another", Default::default())).await;
    let another = another.expect("the engine runs");
    assert_ne!(bounds(&*another).await.epoch, epoch, "another log");
    assert!(all_after(&*another, Position::START).await.is_empty(), "it shares nothing");
}

pub async fn tells_followers_of_a_new_epoch(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    append(&*store, "one").await;
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    followed.until(1).await;
    let before = bounds(&*store).await.epoch;
    let epoch = store.begin_epoch(before).await.expect("begun");
    followed.until_told("those who follow are told of the epoch", |b| b.epoch == epoch).await;
    assert_eq!(texts(&followed.events), ["one"]);
}
