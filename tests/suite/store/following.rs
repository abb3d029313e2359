//! Followers get what is there, and then what comes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;

use super::tools::{Followed, all_after, append, append_all, bounds, event, open, soon, texts};
use crate::suite::store_engine::Engine;

/// From the floor, from the middle, from the newest: a follower gets just the later events.
pub async fn gives_followers_what_is_there_and_then_what_comes(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let floor = bounds(&*store).await.floor;
    let events: Vec<_> = (0..300).map(event).collect();
    let positions = append_all(&*store, &events).await;
    let begins = [(floor, 0), (positions[149], 150), (positions[299], 300)];
    let mut followers = begins.map(|(after, _)| Followed::new(Arc::clone(&other), after));
    for (followed, (_, from)) in followers.iter_mut().zip(begins) {
        followed.until(300 - from).await;
    }
    for n in 300..320 {
        append(&*store, n).await;
    }
    for (followed, (after, from)) in followers.iter_mut().zip(begins) {
        followed.until(320 - from).await;
        assert_eq!(followed.events, all_after(&*store, after).await);
    }
}

/// Events larger than what is read at a time come, too.
pub async fn gives_followers_large_events(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut followed = Followed::new(Arc::clone(&other), bounds(&*store).await.newest);
    let sizes = [1 << 20, 10, 1 << 20, 200_000];
    for size in sizes {
        append(&*store, "x".repeat(size)).await;
    }
    let got: Vec<_> = followed.until(4).await.iter().map(|(_, text)| text.len()).collect();
    assert_eq!(got, sizes);
}

/// Those who follow and leave take nothing with them that others need.
pub async fn is_followed_and_left_many_times(engine: &dyn Engine) {
    let store = open(engine).await;
    let after = bounds(&*store).await.newest;
    for round in 0..10 {
        let followers = join_all((0..10).map(|_| store.follow(after))).await;
        for pages in followers {
            let mut pages = pages.expect("followed");
            // Some leave in the middle of waiting.
            let page = tokio::time::timeout(Duration::from_millis(1), pages.next());
            drop(page.await);
        }
        append(&*store, round).await;
    }
    let mut followed = Followed::new(Arc::clone(&store), after);
    followed.until(10).await;
    append(&*store, "last").await;
    soon("the last comes", followed.until(11)).await;
    assert_eq!(texts(&followed.events).last(), Some(&"last"));
}
