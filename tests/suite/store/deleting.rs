//! One event goes for good, and nobody takes its absence for a gap.

use std::sync::Arc;

use sse_core::Position;

use super::tools::{Followed, all_after, append, append_all, bounds, event, open, texts};
use crate::suite::store_engine::Engine;

pub async fn forgets_an_event_without_a_gap(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let positions = append_all(&*store, &["one", "two", "three", "four"].map(event)).await;
    let before = bounds(&*store).await;
    // In the middle, the oldest, the newest.
    for (deleted, left) in
        [(1, &["one", "three", "four"][..]), (0, &["three", "four"]), (3, &["three"])]
    {
        let deletions = bounds(&*other).await.deletions;
        store.delete(positions[deleted]).await.expect("deleted");
        assert_eq!(texts(&all_after(&*other, before.floor).await), left);
        let after = bounds(&*other).await;
        assert_ne!(after.deletions, deletions, "it changes whenever an event was deleted");
        assert_eq!(after.floor, before.floor, "its absence is no gap");
        assert_eq!((after.newest, after.epoch), (before.newest, before.epoch));
        assert_eq!(after.oldest, Some(if left.len() == 3 { positions[0] } else { positions[2] }));
    }
    let next = append(&*other, "five").await;
    assert!(next > positions[3], "the position of the newest is not given again");
    assert_eq!(texts(&all_after(&*store, positions[1]).await), ["three", "five"]);
}

pub async fn changes_nothing_if_there_is_no_event_to_delete(engine: &dyn Engine) {
    let store = open(engine).await;
    let positions = append_all(&*store, &["one", "two"].map(event)).await;
    store.delete(positions[0]).await.expect("deleted");
    for nothing in [positions[0], positions[1].next(), Position::START] {
        store.delete(nothing).await.expect("nothing to do");
        assert_eq!(texts(&all_after(&*store, Position::START).await), ["two"]);
    }
}

pub async fn tells_followers_of_a_deletion(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let positions = append_all(&*store, &["one", "two", "three"].map(event)).await;
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    followed.until(3).await;
    let before = bounds(&*store).await.deletions;
    store.delete(positions[1]).await.expect("deleted");
    followed
        .until_told("those who follow are told of the deletion", |b| b.deletions != before)
        .await;
}
