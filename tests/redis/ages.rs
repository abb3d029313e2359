//! For how long events are kept, though the server's clock jumps.

use std::time::Duration;

use sse_conformance::engines::Redis;
use sse_core::store::Store;
use sse_core::{Position, StoreOptions};
use sse_test_kit::engines::JumpingClock;

use crate::tools::{STREAM, after, append, bounds, command, once, open, open_with, until};

const AGE: Duration = Duration::from_secs(1);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn options() -> StoreOptions {
    StoreOptions::new().age(AGE)
}

async fn retain(store: &dyn Store) {
    store.retain(&options().retention()).await.expect("retained");
}

async fn are_gone(store: &dyn Store, but: &[Position]) {
    until("the others are gone", async || {
        retain(store).await;
        after(store, Position::START).await == but
    })
    .await;
}

/// Makes the entries look as they do when the clock has jumped since the log was written to.
async fn clock_jumps(redis: &Redis, by: i64) {
    let noted = command(redis, format!("HGET {STREAM}:meta time")).await;
    let noted: i64 = noted.lines().nth(1).expect("a time").parse().expect("a number");
    command(redis, format!("HSET {STREAM}:meta time {}", noted - by)).await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ages_nothing_away() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().age(Duration::from_secs(600));
    let store = open_with(&redis, options.clone()).await;
    let once = || once("a", "once");
    let mut kept = vec![append(&*store, 1).await, append(&*store, 2).await];
    let first = store.append(&[once()]).await.expect("stored");
    kept.push(first.positions[0]);
    store.retain(&options.retention()).await.expect("retained");
    clock_jumps(&redis, DAY as i64).await;
    store.retain(&options.retention()).await.expect("retained");
    assert_eq!(after(&*store, Position::START).await, kept);
    clock_jumps(&redis, DAY as i64).await;
    assert_eq!(store.append(&[once()]).await.expect("known"), first, "keys are remembered");
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_moment_keeps_nothing_for_longer() {
    let redis = Redis::start().await;
    let store = open_with(&redis, options()).await;
    append(&*store, 1).await;
    // The ids of all that comes are of the next century, and the clock goes back.
    command(&redis, format!("XADD {STREAM} 4999999999999-7 b data:two")).await;
    append(&*store, 3).await;
    clock_jumps(&redis, -(DAY as i64)).await;
    let newest = append(&*store, 4).await;
    are_gone(&*store, &[newest]).await;
}

#[tokio::test]
async fn what_is_appended_later_is_kept_for_longer() {
    let redis = Redis::start().await;
    let store = open_with(&redis, options()).await;
    append(&*store, 1).await;
    tokio::time::sleep(AGE / 2).await;
    let later = [append(&*store, 2).await, append(&*store, 3).await];
    are_gone(&*store, &later).await;
    are_gone(&*store, &later[1..]).await;
    assert_eq!(bounds(&*store).await.newest, later[1]);
}

#[tokio::test]
async fn an_append_drops_what_is_too_old() {
    let redis = Redis::start().await;
    let store = open_with(&redis, options()).await;
    let old = append(&*store, 0).await;
    let mut pace = tokio::time::interval(AGE / 20); // so many events in an age
    until("the old event is gone", async || {
        pace.tick().await;
        append(&*store, 1).await;
        !after(&*store, Position::START).await.contains(&old)
    })
    .await;
    let kept = after(&*store, Position::START).await.len();
    assert!(kept > 5 && kept < 100, "{kept}");
}

/// The ids of the events before a jump have times that are too old, or too new.
#[tokio::test]
async fn a_clock_that_jumps_hides_no_event_from_a_first_visit_by_age() {
    let clock = JumpingClock::start();
    let redis = Redis::start_by(&clock).await;
    let store = open(&redis).await;
    let since = async |store: &dyn Store| {
        let before = store.before_since(Duration::from_secs(60)).await.expect("a position");
        after(store, before).await
    };
    let mut kept = vec![append(&*store, 0).await, append(&*store, 1).await];
    for clock_is_at in [3600, 7200, -3600, 0] {
        clock.jump_to(clock_is_at);
        assert_eq!(since(&*store).await, kept, "at {clock_is_at} s, before the next event");
        kept.push(append(&*store, clock_is_at).await);
        assert_eq!(since(&*store).await, kept, "at {clock_is_at} s");
        // A process that comes later is told of the jump.
        assert_eq!(since(&*open(&redis).await).await, kept, "at {clock_is_at} s, by another");
    }
}
