//! One event goes for good, and nobody takes its absence for a gap.

use std::sync::Arc;

use sse_core::Cursor;

use super::tools::{Followed, all_after, append, append_all, bounds, event, open, texts};
use crate::suite::store_engine::Engine;

pub async fn forgets_an_event_without_a_gap(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let cursors = append_all(&*store, &["one", "two", "three", "four"].map(event)).await;
    let before = bounds(&*store).await;
    // In the middle, the oldest, the newest.
    for (deleted, left) in
        [(1, &["one", "three", "four"][..]), (0, &["three", "four"]), (3, &["three"])]
    {
        let deletions = bounds(&*other).await.deletions;
        store.delete(cursors[deleted]).await.expect("deleted");
        assert_eq!(texts(&all_after(&*other, before.floor).await), left);
        let after = bounds(&*other).await;
        assert_ne!(after.deletions, deletions, "it changes whenever an event was deleted");
        assert_eq!(after.floor, before.floor, "its absence is no gap");
        assert_eq!((after.newest, after.epoch), (before.newest, before.epoch));
        assert_eq!(after.oldest, Some(if left.len() == 3 { cursors[0] } else { cursors[2] }));
    }
    let next = append(&*other, "five").await;
    assert!(next > cursors[3], "the position of the newest is not given again");
    assert_eq!(texts(&all_after(&*store, cursors[1]).await), ["three", "five"]);
}

pub async fn changes_nothing_where_there_is_no_event_to_delete(engine: &dyn Engine) {
    let store = open(engine).await;
    let cursors = append_all(&*store, &["one", "two"].map(event)).await;
    store.delete(cursors[0]).await.expect("deleted");
    for nothing in [cursors[0], cursors[1].next(), Cursor::START] {
        store.delete(nothing).await.expect("nothing to do");
        assert_eq!(texts(&all_after(&*store, Cursor::START).await), ["two"]);
    }
}

pub async fn tells_followers_of_a_deletion(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let cursors = append_all(&*store, &["one", "two", "three"].map(event)).await;
    let mut followed = Followed::new(Arc::clone(&other), Cursor::START);
    followed.until(3).await;
    let before = bounds(&*store).await.deletions;
    store.delete(cursors[1]).await.expect("deleted");
    followed
        .until_told("those who follow are told of the deletion", |b| b.deletions != before)
        .await;
}
