//! Appending from code that cannot await.

use std::thread;

use sse_core::{Error, EventLog, Position, StoreOptions};

use crate::support::clock;
use crate::support::poller::settle;
use crate::support::scripted_store::{Positions, ScriptedStore};

async fn over(store: &ScriptedStore) -> (EventLog, sse_core::Follower) {
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    opened.expect("the store is up")
}

#[test]
fn in_memory_it_has_happened_when_it_returns() -> Result<(), Error> {
    let log = EventLog::in_memory(10);
    let id = thread::scope(|scope| scope.spawn(|| log.append_now("one")).join().expect("it ends"))?;
    assert_eq!(id.wait()?, log.stats().newest);
    assert_eq!((log.stats().events, log.stats().newest.epoch()), (1, Some(log.epoch())));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn over_a_store_it_is_stored_in_the_order_of_the_calls() -> Result<(), Error> {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = over(&store).await;
    tokio::spawn(follower);
    let mut receipts = Vec::new();
    for number in 0..1000 {
        receipts.push(log.append_now(number.to_string())?);
    }
    drop(receipts.split_off(500)); // who does not care drops it
    settle().await;
    let stored = store.kept_after(Position::START);
    let texts: Vec<_> = stored.iter().map(|event| event.block.clone()).collect();
    assert_eq!(texts, (0..1000).map(|n| format!("data: {n}\n")).collect::<Vec<_>>());
    for (receipt, event) in receipts.into_iter().zip(&stored) {
        assert_eq!(receipt.wait()?, event.position.id(log.epoch()));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_refuses_and_goes_on_once_there_is_room() -> Result<(), Error> {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = over(&store).await;
    for _ in 0..1024 {
        log.append_now("x")?;
    }
    let refused = log.append_now("x").expect_err("it is full");
    assert!(refused.is_queue_full() && !refused.is_outcome_unknown(), "{refused}");
    tokio::spawn(follower);
    settle().await;
    log.append_now("y")?;
    settle().await;
    assert_eq!(store.kept_after(Position::START).len(), 1025);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_receipt_says_so_if_nobody_will_store_its_event() -> Result<(), Error> {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = over(&store).await;
    let receipt = log.append_now("lost")?;
    drop(follower);
    let error = receipt.wait().expect_err("the follower is gone");
    assert!(error.is_store() && !error.is_outcome_unknown(), "{error}");
    assert!(log.append_now("lost, too").expect_err("it is gone").is_store());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_the_log_would_refuse_is_refused_at_once() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = over(&store).await;
    tokio::spawn(follower);
    let large = "x".repeat(2 << 20);
    assert!(log.append_now(large).expect_err("2 MiB").is_too_large());
    log.finish().await.expect("the store is up");
    settle().await;
    assert!(log.append_now("more").expect_err("it is finished").is_finished());
}
