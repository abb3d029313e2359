//! The requests of a follower to Redis, and their sizes.

use std::time::Duration;

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_core::Position;
use sse_core::store::EncodedEvent;

use crate::tools::{STREAM, append, bounds, command, event, open, soon, stat};

#[tokio::test]
async fn a_follower_of_a_log_whose_state_was_deleted_waits_and_does_not_spin() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "first").await;
    let before = bounds(&*store).await.epoch;
    let epoch = store.begin_epoch(before).await.expect("a change");
    let mut pages = store.follow(Position::START).await.expect("followed");
    soon(pages.next()).await.expect("it goes on").expect("a page");
    command(&redis, format!("DEL {STREAM}:meta")).await;
    assert_ne!(bounds(&*store).await.epoch, epoch, "the first that asks begins another");
    let told = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_ne!(told.bounds.epoch, epoch);

    let before = stat(&redis, "stats", "total_commands_processed").await;
    let more = tokio::time::timeout(Duration::from_millis(1500), pages.next()).await;
    assert!(more.is_err(), "nothing happens: {more:?}");
    let commands = stat(&redis, "stats", "total_commands_processed").await - before;
    assert!(commands < 100, "{commands} commands");
}

/// A follower that has been away does not know their new sizes.
#[tokio::test]
async fn events_that_have_become_large_are_not_asked_for_all_at_once() {
    let redis = Redis::start().await;
    let (store, other) = (open(&redis).await, open(&redis).await);
    let small: Vec<EncodedEvent> = (0..500).map(event).collect();
    let last = store.append(&small).await.expect("stored").positions[499];
    let page = soon(store.read(Position::START, crate::tools::PAGE)).await.expect("a page");
    assert_eq!(page.events.len(), 16, "nothing was known of them");
    for _ in 0..100 {
        append(&*other, "x".repeat(1_000_000)).await;
    }
    let before = stat(&redis, "stats", "total_net_output_bytes").await;
    let mut pages = store.follow(last).await.expect("followed");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events.len(), 1);
    let bytes = stat(&redis, "stats", "total_net_output_bytes").await - before;
    assert!(bytes < 20_000_000, "{bytes} bytes");
}

#[tokio::test]
async fn an_entry_whose_key_is_not_text_is_passed_over() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let added = command(&redis, format!("XADD {STREAM} * b data:x k \"\\xff\"")).await;
    assert!(added.starts_with('$'), "{added}");
    let ours = append(&*store, "ours").await;
    let mut pages = store.follow(Position::START).await.expect("followed");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, ours);
}
