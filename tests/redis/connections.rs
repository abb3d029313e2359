//! The fate of connections, and the error of a call that failed.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use sse_conformance::engines::Redis;
use sse_conformance::suite::store_engine::Durable;
use sse_core::store::{Store, StoreError};
use sse_core::{Position, StoreOptions};
use sse_test_kit::engines::EngineServer;

use crate::tools::{
    STREAM, append, bounds, command, event, once, open, open_with, soon, told, until,
};

/// The ids of the connections on which a follower waits for changes.
async fn waiting(redis: &Redis) -> Vec<String> {
    let clients = command(redis, "CLIENT LIST").await;
    let waiting = clients.lines().filter(|line| line.contains(" ssub=1 "));
    waiting.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_follower_waits_for_seconds_on_one_connection() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let mut pages = store.follow(first).await.expect("followed");
    let next = tokio::spawn(async move { pages.next().await });
    until("it waits", async || !waiting(&redis).await.is_empty()).await;
    let before = waiting(&redis).await;
    // Longer than the client's default of 500 ms, and than one wait.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!next.is_finished());
    assert_eq!(waiting(&redis).await, before, "the same connection");
    let second = append(&*store, "second").await;
    let page = soon(next).await.expect("no panic").expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, second);
}

/// Long before a wait ends by itself.
#[tokio::test]
async fn a_waiting_follower_is_notified_of_a_change_at_once() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let mut pages = store.follow(Position::START).await.expect("followed");
    append(&*store, "first").await;
    soon(pages.next()).await.expect("it goes on").expect("a page");
    let begun = Instant::now();
    for _ in 0..6 {
        let before = bounds(&*store).await.epoch;
        let (told, begun) = tokio::join!(soon(pages.next()), store.begin_epoch(before));
        let told = told.expect("it goes on").expect("a page");
        assert_eq!(told.bounds.epoch, begun.expect("begun"));
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?} for six", begun.elapsed());
}

#[tokio::test]
async fn a_follower_that_was_dropped_has_no_connection() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let mut pages = store.follow(Position::START).await.expect("followed");
    let following = tokio::spawn(async move { pages.next().await });
    until("it waits", async || waiting(&redis).await.len() == 1).await;
    following.abort();
    until("its connection is closed", async || waiting(&redis).await.is_empty()).await;
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_loaded_again() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let mut pages = store.follow(Position::START).await.expect("followed");
    soon(pages.next()).await.expect("it goes on").expect("a page");
    command(&redis, "SCRIPT FLUSH").await;
    let appended = join_all((0..50).map(|n| append(&*store, n))).await;
    assert_eq!(crate::tools::after(&*store, first).await.len(), appended.len());
    command(&redis, "SCRIPT FLUSH").await;
    soon(pages.next()).await.expect("it goes on").expect("a page");
}

#[tokio::test]
async fn a_redis_that_is_slow_is_waited_for() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "first").await;
    redis.pause();
    let slow = tokio::spawn(async move { append(&*store, "slow").await });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!slow.is_finished());
    redis.resume();
    soon(slow).await.expect("stored");
}

#[tokio::test]
async fn a_connection_that_ended_while_nobody_used_it_is_opened_again() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for n in 0..20 {
        append(&*store, n).await;
        command(&redis, "CLIENT KILL TYPE normal").await;
        // Its end is on its way.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_append_that_was_cut_off_has_an_unknown_outcome_and_one_that_was_not_sent_has_not() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "first").await;
    redis.pause();
    let (event, other) = (event("cut off"), store.clone());
    let cut_off = tokio::spawn(async move { other.append(&[event]).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    redis.stop().await;
    let cut_off = soon(cut_off).await.expect("no panic");
    assert!(matches!(cut_off, Err(StoreError::OutcomeUnknown(_))), "{cut_off:?}");

    let refused = store.append(&[crate::tools::event("not sent")]).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    redis.start().await;
    append(&*store, "again").await;
}

#[tokio::test]
async fn many_wait_for_one_attempt_to_connect() {
    let redis = Redis::start().await;
    redis.pause();
    let store = open(&redis).await;
    let begun = Instant::now();
    let refused = join_all((0..100).map(|_| store.bounds())).await;
    assert!(refused.iter().all(|refused| matches!(refused, Err(StoreError::Failed(_)))));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    redis.resume();
    bounds(&*store).await;
}

#[tokio::test]
async fn what_redis_refuses_was_not_stored_and_the_reason_is_told() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let refused = async |reason: &str| {
        let error =
            store.append(&[event("refused"), event("too")]).await.expect_err("it is refused");
        assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
        assert!(told(&error).contains(reason), "{}", told(&error));
        // A stored event can still be read.
        assert_eq!(bounds(&*store).await.newest, first);
        assert_eq!(crate::tools::after(&*store, Position::START).await, [first]);
    };
    redis.refuse_writes().await;
    refused("OOM").await;
    // Nothing is in the way of what sets memory free.
    store.retain(&StoreOptions::default().retention()).await.expect("nothing to do");
    // And clients can be told of what was lost.
    let epoch = bounds(&*store).await.epoch;
    assert_ne!(store.begin_epoch(epoch).await.expect("begun"), epoch);
    redis.allow_writes().await;

    command(&redis, "REPLICAOF 127.0.0.1 1").await;
    // A replica may lose its events: they are not even read.
    let reading = store.bounds().await.map(drop);
    for refused in [store.append(&[event("refused")]).await.map(drop), reading] {
        let error = refused.expect_err("it is a replica");
        assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
        assert!(told(&error).contains("read-only replica"), "{}", told(&error));
    }
    command(&redis, "REPLICAOF NO ONE").await;

    command(&redis, "CONFIG SET min-replicas-to-write 1").await;
    refused("NOREPLICAS").await;
    command(&redis, "CONFIG SET min-replicas-to-write 0").await;
    append(&*store, "second").await;
}

#[tokio::test]
async fn a_log_whose_key_is_something_else_says_so() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    command(&redis, format!("SET {STREAM} x")).await;
    let error = store.append(&[event("one")]).await.expect_err("it is no stream");
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
    assert!(told(&error).contains("WRONGTYPE"), "{}", told(&error));
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_crash_with_all_that_is_known_of_it() {
    let redis = Redis::start().await;
    let store = open_with(&redis, StoreOptions::default()).await;
    let once = once("a", "once");
    let first = store.append(std::slice::from_ref(&once)).await.expect("stored");
    append(&*store, "two").await;
    store.delete(first.positions[0]).await.expect("deleted");
    let before = bounds(&*store).await;
    redis.crash().await;
    assert_eq!(bounds(&*store).await, before);
    assert_eq!(store.append(&[once]).await.expect("known"), first);
}
