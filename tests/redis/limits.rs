//! An append drops what is over the limits by itself, as fast as it adds.

use sse_conformance::engines::Redis;
use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_core::{Position, StoreOptions};

use crate::tools::{STREAM, append, bounds, command, event, open_with, soon};

async fn length(redis: &Redis) -> usize {
    let length = command(redis, format!("XLEN {STREAM}")).await;
    length.trim_start_matches(':').trim().parse().expect("a number")
}

async fn field(redis: &Redis, name: &str) -> usize {
    let value = command(redis, format!("HGET {STREAM}:meta {name}")).await;
    value.lines().nth(1).expect("a value").parse().expect("a number")
}

fn batch(events: usize, size: usize) -> Vec<EncodedEvent> {
    (0..events).map(|n| event(format!("{n:0size$}"))).collect()
}

/// Without any call to `retain`.
#[tokio::test]
async fn no_more_events_are_kept_than_the_limit_at_any_moment() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().events(100);
    let store = open_with(&redis, options).await;
    for n in 0..300 {
        append(&*store, n).await;
        assert!(length(&redis).await <= 100);
    }
    let cursors = store.append(&batch(1000, 10)).await.expect("stored").positions;
    assert_eq!(length(&redis).await, 100);
    let bounds = bounds(&*store).await;
    assert_eq!((bounds.floor, bounds.oldest), (cursors[899], Some(cursors[900])));
}

#[tokio::test]
async fn no_more_bytes_are_kept_than_the_limit_whatever_the_sizes() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().bytes(1_000_000);
    let store = open_with(&redis, options).await;
    for _ in 0..12 {
        store.append(&batch(1000, 100)).await.expect("stored");
        assert!(field(&redis, "bytes").await <= 1_000_000);
    }
    for _ in 0..20 {
        append(&*store, "x".repeat(100_000)).await;
        assert!(field(&redis, "bytes").await <= 1_000_000, "as many bytes as come");
    }
    assert!(length(&redis).await <= 10);
}

/// A limit that was lowered is reached by appends alone: each drops twice as many as it adds.
#[tokio::test]
async fn an_append_drops_at_most_twice_as_many_as_it_adds() {
    let redis = Redis::start().await;
    let store = open_with(&redis, StoreOptions::default()).await;
    store.append(&batch(1000, 10)).await.expect("stored");
    let few = StoreOptions::new().events(10);
    let store = open_with(&redis, few).await;
    append(&*store, "x").await;
    assert_eq!(length(&redis).await, 999);
    store.append(&batch(100, 10)).await.expect("stored");
    assert_eq!(length(&redis).await, 899);
}

#[tokio::test]
async fn an_event_that_was_large_says_nothing_of_those_that_are_kept() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().events(1000);
    let store = open_with(&redis, options).await;
    append(&*store, "x".repeat(1_000_000)).await;
    for _ in 0..3 {
        store.append(&batch(1000, 100)).await.expect("stored");
    }
    assert!(field(&redis, "largest").await < 200);
    let all = PageLimit { events: 1000, bytes: 64 * 1024 };
    store.read(Position::START, all).await.expect("a page");
    let page = store.read(Position::START, all).await.expect("a page");
    assert!(page.events.len() > 500, "{} in a page", page.events.len());
}

/// No single script reads all of it.
#[tokio::test]
async fn what_comes_before_the_last_is_found_in_many_short_steps() {
    let redis = Redis::start().await;
    let store = open_with(&redis, StoreOptions::default()).await;
    for _ in 0..40 {
        append(&*store, "x".repeat(500_000)).await;
    }
    let calls = async || {
        let stats = command(&redis, "INFO commandstats").await;
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha")).expect("a line");
        let calls = line.split(['=', ',']).nth(1).expect("a number");
        calls.parse::<usize>().expect("a number")
    };
    let before = calls().await;
    let most = PageLimit { events: 30, bytes: usize::MAX };
    let position = soon(store.before_last(most)).await.expect("there are 30");
    let steps = calls().await - before;
    assert!(steps >= 8, "15 MB in {steps} steps");
    assert!(position > Position::START);
    let before = calls().await;
    soon(store.before_last(PageLimit { events: 30, bytes: 1_200_000 })).await.expect("two");
    assert!(calls().await - before <= 3, "it ends when the bytes are full");
}
