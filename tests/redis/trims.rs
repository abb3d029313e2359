//! Another program writes to the stream, `redis-cli` for example.

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_core::{Position, StoreOptions};
use tokio::sync::watch;

use crate::tools::{STREAM, after, append, bounds, command, event, keyed, open, open_with, soon};

#[tokio::test]
async fn a_trim_by_another_program_is_a_gap_for_a_reader_before_it() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let mut positions = Vec::new();
    for n in 0..20 {
        positions.push(append(&*store, n).await);
    }
    let before = bounds(&*store).await;
    assert_eq!(command(&redis, format!("XTRIM {STREAM} MAXLEN 5")).await, ":15\r\n");
    let trimmed = bounds(&*store).await;
    assert_eq!((trimmed.epoch, trimmed.newest), (before.epoch, before.newest));
    assert_eq!(trimmed.oldest, Some(positions[15]));
    assert!(trimmed.floor > positions[13], "those from 14 on are gone");
    assert!(trimmed.floor < positions[15], "a reader that has seen 15 has missed nothing");
    let page = soon(store.read(positions[3], crate::tools::PAGE)).await.expect("a page");
    assert!(page.bounds.floor > positions[3], "a page tells, too");

    command(&redis, format!("XTRIM {STREAM} MAXLEN 0")).await;
    let emptied = bounds(&*store).await;
    assert_eq!((emptied.floor, emptied.oldest), (emptied.newest, None), "all is gone");
    let next = append(&*store, "next").await;
    let floor = bounds(&*store).await.floor;
    assert!(floor >= emptied.floor && floor < next);
}

/// The next call does not matter: it is not a gap if the oldest of those left goes, too.
#[tokio::test]
async fn a_trim_by_another_program_stays_known_and_becomes_no_larger() {
    for next in ["delete", "supersede", "retain, then delete"] {
        let redis = Redis::start().await;
        let store = open(&redis).await;
        let keyed = keyed("key", "keyed");
        append(&*store, "trimmed").await;
        let oldest = store.append(std::slice::from_ref(&keyed)).await.expect("stored").positions[0];
        append(&*store, "kept").await;
        command(&redis, format!("XTRIM {STREAM} MAXLEN 2")).await;
        let floor = bounds(&*store).await.floor;
        if next == "supersede" {
            store.append(&[keyed]).await.expect("stored");
        } else {
            if next != "delete" {
                store.retain(&StoreOptions::default().retention()).await.expect("retained");
            }
            store.delete(oldest).await.expect("deleted");
        }
        let after = bounds(&*store).await;
        assert!(after.oldest > Some(oldest), "{next}: the oldest has gone");
        assert_eq!(after.floor, floor, "{next}: a reader that has seen it has missed nothing");
    }
}

#[tokio::test]
async fn a_follower_sees_a_trim_by_another_program() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let first = append(&*store, "first").await;
    let mut pages = store.follow(first).await.expect("followed");
    let (round, mut rounds) = watch::channel(0);
    let follower = tokio::spawn(async move {
        let (mut expected, mut skipped, mut last) = (0, 0, first);
        while expected < 400 {
            let page = pages.next().await.expect("it goes on").expect("a page");
            for read in &page.events {
                let number = (expected..400)
                    .find(|n| event(n).block == read.block)
                    .expect("no event comes twice");
                let is_told = number == expected || page.bounds.floor > last;
                assert!(is_told, "{number} after {expected}, floor {}", page.bounds.floor);
                skipped += number - expected;
                (expected, last) = (number + 1, read.position);
            }
            // A follower that keeps up loses nothing.
            let behind = *rounds.borrow() + 2;
            let reached = rounds.wait_for(|round| *round >= behind.min(40)).await;
            drop(reached.expect("the rounds go on"));
        }
        skipped
    });
    for number in 0..40 {
        let batch: Vec<_> = (number * 10..number * 10 + 10).map(event).collect();
        store.append(&batch).await.expect("stored");
        command(&redis, format!("XTRIM {STREAM} MAXLEN 3")).await;
        round.send_replace(number + 1);
    }
    let skipped = soon(follower).await.expect("the last event comes");
    assert!(skipped > 0, "it was never overtaken by a trim");
}

#[tokio::test]
async fn the_limit_of_bytes_holds_though_another_program_trims() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().bytes(10_000);
    let store = open_with(&redis, options.clone()).await;
    let append_some = async || {
        for n in 0..30 {
            append(&*store, format_args!("{n:0>1000}")).await;
        }
    };
    append_some().await;
    command(&redis, format!("XTRIM {STREAM} MAXLEN 8")).await;
    store.retain(&options.retention()).await.expect("nothing to do");
    assert_eq!(after(&*store, Position::START).await.len(), 8, "nothing is over the limit");
    append_some().await;
    store.retain(&options.retention()).await.expect("retained");
    assert_eq!(after(&*store, Position::START).await.len(), 9, "10 000 bytes");
}

#[tokio::test]
async fn keys_of_events_that_another_program_has_trimmed_are_forgotten() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for n in 0..1500 {
        let keyed = keyed(format!("key {n}"), n);
        store.append(&[keyed]).await.expect("stored");
    }
    let keys = format!("HLEN {STREAM}:keys");
    // One of them is there from the beginning, so that the hash is.
    assert_eq!(command(&redis, &keys).await, ":1501\r\n");
    command(&redis, format!("XTRIM {STREAM} MAXLEN 7")).await;
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    assert_eq!(command(&redis, &keys).await, ":8\r\n");
    // And those of events that our own retention has dropped.
    let few = StoreOptions::new().events(3);
    store.retain(&few.retention()).await.expect("retained");
    assert_eq!(command(&redis, &keys).await, ":4\r\n");
}

#[tokio::test]
async fn a_flush_is_a_new_epoch() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "one").await;
    let before = bounds(&*store).await;
    command(&redis, "FLUSHALL").await;
    let appended = store.append(&[event("two")]).await.expect("stored");
    assert_ne!(appended.epoch, before.epoch);
    assert_eq!(bounds(&*store).await.epoch, appended.epoch);
    assert_eq!(after(&*store, Position::START).await, appended.positions);
}

#[tokio::test]
async fn entries_of_another_program_are_passed_over() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for n in 0..50 {
        command(&redis, format!("XADD {STREAM} * colour {n}")).await;
    }
    let mut pages = store.follow(Position::START).await.expect("followed");
    let ours = append(&*store, "ours").await;
    assert_eq!(after(&*store, Position::START).await, [ours]);
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.events[0].position, ours);
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
}

#[tokio::test]
async fn positions_ascend_though_the_clock_goes_back() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "one").await;
    // The id that an entry would have if the clock had been a century ahead.
    command(&redis, format!("XADD {STREAM} 4999999999999-7 b data:two")).await;
    let three = append(&*store, "three").await;
    let four = append(&*store, "four").await;
    assert_eq!(
        (three, four),
        (Position::new(4_999_999_999_999, 8), Position::new(4_999_999_999_999, 9))
    );
}
