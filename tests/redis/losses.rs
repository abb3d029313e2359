//! The stream is gone, or another is in its place: a new epoch begins before anything else is done, whatever comes first.

use std::collections::HashSet;

use sse_conformance::engines::Redis;
use sse_core::store::{Appended, Store};
use sse_core::{Position, StoreOptions};
use sse_test_kit::engines::{EngineServer, JumpingClock};

use crate::tools::{STREAM, after, append, bounds, command, event, keyed, open};

async fn append_keyed(store: &dyn Store) -> Appended {
    let keyed = keyed("key", "keyed");
    store.append(&[keyed]).await.expect("stored")
}

#[tokio::test]
async fn a_stream_that_is_gone_is_a_new_epoch_whatever_is_done_first() {
    for first in
        ["append", "append keyed", "retain", "delete", "bounds", "read", "finish", "follow"]
    {
        let redis = Redis::start().await;
        let store = open(&redis).await;
        append(&*store, "a").await;
        let lost = append(&*store, "b").await;
        let before = bounds(&*store).await.epoch;
        command(&redis, format!("DEL {STREAM}")).await;
        // Another process, which has not seen it.
        let store = open(&redis).await;
        match first {
            "append" => assert_ne!(
                store.append(&[event("c")]).await.expect("stored").epoch,
                before,
                "the id that is answered is one of the new epoch"
            ),
            "append keyed" => assert_ne!(append_keyed(&*store).await.epoch, before),
            "retain" => {
                store.retain(&StoreOptions::default().retention()).await.expect("retained");
            }
            "delete" => store.delete(lost).await.expect("there is none"),
            "bounds" => assert_ne!(bounds(&*store).await.epoch, before),
            "read" => assert_eq!(after(&*store, Position::START).await, []),
            "finish" => store.finish().await.expect("finished"),
            _ => drop(store.follow(lost).await.expect("followed")),
        }
        assert_ne!(bounds(&*store).await.epoch, before, "{first}");
        assert_eq!(bounds(&*store).await.epoch, bounds(&*store).await.epoch, "it stays");
    }
}

/// A copy that was kept, for example: it lacks the end.
#[tokio::test]
async fn an_older_stream_in_the_place_of_the_newest_is_a_new_epoch() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let kept = append(&*store, "kept").await;
    command(&redis, format!("COPY {STREAM} sse:copy")).await;
    append(&*store, "lost").await;
    let before = bounds(&*store).await.epoch;
    command(&redis, format!("COPY sse:copy {STREAM} REPLACE")).await;
    let appended = append_keyed(&*store).await;
    assert_ne!(appended.epoch, before);
    assert_eq!(after(&*store, Position::START).await, [kept, appended.positions[0]]);
}

#[tokio::test]
async fn no_id_is_given_twice_in_an_epoch_though_the_stream_goes_again_and_again() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    // Ids of the same millisecond would be the same.
    let mut epochs = HashSet::new();
    for n in 0..200 {
        let appended = store.append(&[event(n)]).await.expect("stored");
        assert!(epochs.insert(appended.epoch), "{appended:?}");
        command(&redis, format!("DEL {STREAM}")).await;
    }
}

/// A deletion of the newest event is not a loss.
#[tokio::test]
async fn an_event_that_is_deleted_is_no_new_epoch() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let before = bounds(&*store).await.epoch;
    store.delete(first).await.expect("deleted");
    assert_eq!(bounds(&*store).await.epoch, before);
    assert!(append(&*store, "second").await > first);
    assert_eq!(bounds(&*store).await.epoch, before);
}

/// As a replica that takes over: it lacks the newest events, nothing in it shows that, and its clock is behind.
#[tokio::test]
async fn a_server_that_takes_over_gives_no_id_of_an_event_that_it_lacks() {
    let clock = JumpingClock::start();
    let redis = Redis::start_by(&clock).await;
    let store = open(&redis).await;
    append(&*store, "kept").await;
    clock.jump_to(-3600);
    append(&*store, "kept, too").await;
    let keys = [STREAM.to_owned(), format!("{STREAM}:meta")];
    let mut given = HashSet::new();
    for clock_is_at in [-3600, -3600, 3600, -3600, -3600, -3600, -3600, -3600] {
        let store = open(&redis).await;
        for key in &keys {
            command(&redis, format!("COPY {key} copy:{key} REPLACE")).await;
        }
        for _ in 0..3 {
            assert!(given.insert(append(&*store, "lost").await));
        }
        for key in &keys {
            command(&redis, format!("COPY copy:{key} {key} REPLACE")).await;
        }
        redis.stop().await;
        redis.start().await;
        clock.jump_to(clock_is_at);
        let store = open(&redis).await;
        assert!(given.insert(append(&*store, "new").await));
    }
    let store = open(&redis).await;
    assert_eq!(after(&*store, Position::START).await.len(), 10);
}
