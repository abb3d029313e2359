//! The errors that an application gets when its store fails.

use std::time::Duration;

use sse_core::{Error, Event, EventLog, Start, StoreOptions, StreamResponse};
use tokio::time::Instant;

use crate::support::client::{Client, request_after};
use crate::support::clock::{self, pass};
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// A log over a store, and what is to run for it.
async fn open(
    store: &ScriptedStore,
    store_wait: Duration,
) -> Result<(EventLog, sse_core::Follower), Error> {
    let options = StoreOptions::new().store_wait(store_wait);
    EventLog::open(store.clone(), options, clock::timer()).await
}

async fn log(store_wait: Duration) -> (ScriptedStore, EventLog) {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = open(&store, store_wait).await.expect("the store is up");
    tokio::spawn(follower);
    (store, log)
}

/// All that is stored.
async fn stored(log: &EventLog) -> Vec<String> {
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    pass(3000).await;
    client.read_all().await
}

fn mend_after(store: &ScriptedStore, time: Duration) {
    let store = store.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        store.come_back();
    });
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_refused_has_failed_and_is_not_unknown() {
    let (store, log) = log(Duration::ZERO).await;
    store.fault(Call::Append, Fault::Fails);
    let error = log.append("1").await.expect_err("it is refused");
    assert!(error.is_store() && !error.is_outcome_unknown(), "{error}");
    assert_eq!(error.to_string(), "the store of the event log `prices` failed while appending");
    assert!(std::error::Error::source(&error).is_some(), "it says why");
    store.mend(Call::Append);
    assert!(stored(&log).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_append_without_an_answer_has_an_unknown_outcome() {
    for (fault, kept) in
        [(Fault::LosesTheRequest, &[][..]), (Fault::LosesTheAnswer, &["1"]), (Fault::Stalls, &[])]
    {
        let (store, log) = log(Duration::ZERO).await;
        store.fault(Call::Append, fault);
        let begun = Instant::now();
        let error = log.append("1").await.expect_err("no answer");
        assert!(error.is_store() && error.is_outcome_unknown(), "{fault:?}: {error}");
        assert!(begun.elapsed() <= Duration::from_millis(5001), "{:?}", begun.elapsed());
        store.mend(Call::Append);
        assert_eq!(stored(&log).await, kept, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_that_has_failed_is_tried_again_for_as_long_as_was_asked_for() {
    let (store, log) = log(Duration::from_secs(10)).await;
    store.fault(Call::Append, Fault::Fails);
    mend_after(&store, Duration::from_secs(4));
    log.append("1").await.expect("it came in time");
    let tries = store.calls(Call::Append);
    assert!((3..30).contains(&tries), "{tries} tries");

    store.fault(Call::Append, Fault::Fails);
    let begun = Instant::now();
    assert!(!log.append("2").await.expect_err("it never came").is_outcome_unknown());
    let waited = begun.elapsed();
    assert!((10..=11).contains(&waited.as_secs()), "{waited:?}");
}

/// Without an idempotency key it might be there twice.
#[tokio::test(start_paused = true)]
async fn only_what_cannot_be_there_twice_is_tried_again_without_an_answer() {
    let (store, log) = log(Duration::from_secs(10)).await;
    store.fault(Call::Append, Fault::LosesTheAnswer);
    let begun = Instant::now();
    assert!(log.append("1").await.expect_err("no answer").is_outcome_unknown());
    assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
    mend_after(&store, Duration::from_secs(4));
    log.append(Event::new("2").idempotency_key("key").expect("a key"))
        .await
        .expect("it came in time");
    store.mend(Call::Append);
    assert_eq!(stored(&log).await, ["1", "2"]);
}

/// It may have been stored, and the log been finished then. If it was stored, its key is known still.
#[tokio::test(start_paused = true)]
async fn an_append_that_meets_the_end_after_a_lost_answer_is_not_said_to_have_failed() {
    for (fault, is_stored) in [(Fault::LosesTheAnswer, true), (Fault::LosesTheRequest, false)] {
        let (store, log) = log(Duration::from_secs(10)).await;
        store.fault(Call::Append, fault);
        let (appending, at) = (
            log.append(Event::new("1").idempotency_key("key").expect("a key")),
            Duration::from_secs(1),
        );
        let finishing = async {
            tokio::time::sleep(at).await;
            log.finish().await.expect("finished");
            store.mend(Call::Append);
        };
        match futures_util::join!(appending, finishing).0 {
            Ok(id) => assert!(is_stored && log.get(&id).await.is_ok(), "{id}"),
            Err(error) => {
                assert!(!is_stored && error.is_outcome_unknown(), "{error}");
                assert!(!error.is_finished(), "{error}");
            }
        }
        assert_eq!(store.kept(), usize::from(is_stored), "as it happened");
        assert!(log.append("2").await.expect_err("it is finished").is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn opening_a_log_fails_if_its_store_is_down_or_does_not_answer() {
    for (fault, seconds) in [(Fault::Fails, 0), (Fault::Stalls, 5)] {
        for call in [Call::Bounds, Call::BeforeLast, Call::Read] {
            let (store, log) = log(Duration::ZERO).await;
            log.append("1").await.expect("stored");
            store.fault(call, fault);
            let begun = Instant::now();
            let error = open(&store, Duration::ZERO).await.expect_err("it is down");
            assert!(error.is_store(), "{error}");
            assert_eq!(begun.elapsed().as_secs(), seconds, "{call:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_waits_for_its_store_if_the_options_say_so() {
    for call in [Call::Bounds, Call::BeforeLast, Call::Read] {
        let (store, log) = log(Duration::ZERO).await;
        log.append("1").await.expect("stored");
        store.fault(call, Fault::Fails);
        mend_after(&store, Duration::from_secs(4));
        let (log, follower) = open(&store, Duration::from_secs(10)).await.expect("it came in time");
        tokio::spawn(follower);
        assert_eq!(stored(&log).await, ["1"], "{call:?}");
    }
}

/// Before its follower runs.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_finished_is_known_to_be_from_the_start() {
    for events in [0, 1, 50] {
        let (store, other) = log(Duration::ZERO).await;
        other.append_all((0..events).map(|n| n.to_string())).await.expect("stored");
        other.finish().await.expect("finished");
        let (log, _follower) = open(&store, Duration::ZERO).await.expect("the store is up");
        assert!(log.stats().is_finished, "{events} events");
        let at_the_end = request_after(log.stats().newest);
        assert_eq!(StreamResponse::new(&at_the_end, &log, clock::timer()).status, 204);
    }
}
