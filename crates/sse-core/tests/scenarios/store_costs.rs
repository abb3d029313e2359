//! The calls that a log makes to its store, counted on the paused clock.

use std::future::Future;
use std::time::Duration;

use sse_core::{EventLog, Follower, Start, StoreOptions};

use crate::support::client::Client;
use crate::support::clock::{self, pass};
use crate::support::poller::append;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

const HOUR: u64 = 3_600_000;

async fn open(store: &ScriptedStore, options: StoreOptions) -> (EventLog, Follower) {
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    opened.expect("the store is up")
}

fn store() -> ScriptedStore {
    ScriptedStore::on(clock::timer(), Positions::Dense)
}

/// Returns the number of calls of each kind, in the order of `Call::ALL`.
fn calls(store: &ScriptedStore) -> [usize; 12] {
    Call::ALL.map(|call| store.calls(call))
}

fn since(store: &ScriptedStore, before: [usize; 12]) -> Vec<(Call, usize)> {
    let counts = Call::ALL.into_iter().zip(calls(store).into_iter().zip(before));
    counts.map(|(call, (now, before))| (call, now - before)).filter(|(_, n)| *n > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn an_idle_log_asks_its_store_one_question_in_30_seconds() {
    for (events, question) in [(0, Call::Bounds), (3, Call::Read)] {
        let store = store();
        let (log, mut follower) = open(&store, StoreOptions::default()).await;
        let mut polls = 0;
        let counted = std::future::poll_fn(move |cx| {
            polls += 1;
            assert!(polls < 1000, "it is woken for nothing");
            std::pin::Pin::new(&mut follower).poll(cx)
        });
        let _following = tokio::spawn(counted);
        for n in 1..=events {
            append(&log, &n.to_string()).await;
        }
        let _client = Client::open(&log);
        pass(60_500).await;
        let before = calls(&store);
        pass(HOUR).await;
        assert_eq!(since(&store, before), [(question, 120)], "{events} events");
        assert!(!_following.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_log_is_asked_little_more_than_an_idle_one() {
    let store = store();
    let (log, follower) = open(&store, StoreOptions::default()).await;
    tokio::spawn(follower);
    append(&log, "0").await;
    pass(60_500).await;
    let before = calls(&store);
    for n in 0..3600 {
        append(&log, &n.to_string()).await;
        pass(1000).await;
    }
    let asked = since(&store, before);
    let count = |call| asked.iter().find(|(asked, _)| *asked == call).map_or(0, |(_, n)| *n);
    // Besides the newest it looks at seven others at the most, after which nothing came for a while.
    assert!((120..=120 * 9).contains(&(count(Call::Read) + count(Call::Bounds))), "{asked:?}");
    assert_eq!(count(Call::Follow), 0, "{asked:?}");
    // Every ten seconds while events come.
    assert!((300..=361).contains(&count(Call::Retain)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn retention_is_asked_for_at_opening_and_when_something_was_appended() {
    let store = store();
    let (log, follower) = open(&store, StoreOptions::default()).await;
    tokio::spawn(follower);
    pass(HOUR).await;
    assert_eq!(store.calls(Call::Retain), 1);
    for n in 0..5 {
        // Several at once are one reason.
        append(&log, &n.to_string()).await;
        append(&log, &n.to_string()).await;
        pass(100).await;
        assert_eq!(store.calls(Call::Retain), 2 + n);
        pass(60_000).await;
        assert_eq!(store.calls(Call::Retain), 2 + n);
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_grow_old_are_dropped_though_nothing_is_appended() {
    for (age, apart) in [(4, 1), (50, 5), (3600, 10)] {
        let store = store();
        let options = StoreOptions::new().age(Duration::from_secs(age));
        let (log, follower) = open(&store, options).await;
        tokio::spawn(follower);
        for n in 1..=3 {
            append(&log, &n.to_string()).await;
        }
        pass(apart * 1000 + 500).await;
        let before = store.calls(Call::Retain);
        pass((age - apart) * 1000 - 1000).await;
        assert_eq!(store.kept(), 3);
        // None of the events can be too old yet.
        assert!(store.calls(Call::Retain) - before <= age as usize / 300, "at an age of {age} s");
        let before = store.calls(Call::Retain);
        pass((apart + 1) * 1000).await;
        assert_eq!(store.kept(), 1, "the newest is kept, at an age of {age} s");
        assert!(store.calls(Call::Retain) - before <= 3);
        // Once it is known that nothing is left to grow old.
        pass(60_000).await;
        let before = store.calls(Call::Retain);
        pass(HOUR).await;
        assert_eq!(store.calls(Call::Retain), before);
    }
}

#[tokio::test(start_paused = true)]
async fn retention_that_fails_is_tried_again_and_one_that_is_slow_holds_up_nobody() {
    for fault in [Fault::Fails, Fault::Stalls, Fault::LosesTheAnswer] {
        let store = store();
        let options = StoreOptions::new().events(5);
        let (log, follower) = open(&store, options).await;
        store.fault(Call::Retain, fault);
        tokio::spawn(follower);
        let mut client = Client::open(log.feed().start_at(Start::Oldest));
        for n in 1..=10 {
            append(&log, &n.to_string()).await;
            pass(1).await;
            assert_eq!(client.read_all().await, numbers(1..=n), "{fault:?}");
        }
        pass(60_000).await;
        let tries = store.calls(Call::Retain);
        assert!((10..200).contains(&tries), "{tries} tries in a minute: {fault:?}");
        store.mend(Call::Retain);
        pass(2000).await;
        assert_eq!(store.kept(), 5, "{fault:?}");
    }
}

/// 1000 events of 100 kB for a tail of 1 MB.
#[tokio::test(start_paused = true)]
async fn opening_reads_no_more_than_the_tail_takes() {
    let store = store();
    let (log, _follower) = open(&store, StoreOptions::default()).await;
    for _ in 0..1000 {
        append(&log, &"x".repeat(100_000)).await;
    }
    append(&log, "the newest").await;
    let before = calls(&store);
    let options = StoreOptions::new().tail_bytes(1_000_000);
    let (log, _follower) = open(&store, options).await;
    let stats = log.stats();
    assert!(stats.bytes <= 1_000_000 && stats.events >= 9, "{stats:?}");
    assert_eq!(since(&store, before), [(Call::Bounds, 1), (Call::Read, 10), (Call::BeforeLast, 1)]);
}
