//! A lock that one takes alone, while an application's transaction is open.

use std::time::{Duration, Instant};

use sse_conformance::engines::Postgres;
use sse_core::store::{Store, StoreError};
use sse_log_postgres::{EngineOptions, Ordering, open_store};

use crate::tools::{Processes, append, bounds, client, open, open_ordered, soon, texts};

/// Longer than it takes where all who append queue behind what waits alone.
const AT_ONCE: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn a_finish_that_waits_for_a_transaction_stops_no_append() {
    let postgres = Postgres::start().await;
    let (store, other, mut client) =
        (open(&postgres).await, open(&postgres).await, client(&postgres).await);
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "open").await.expect("appended");
    let finishing = tokio::spawn(async move { other.finish().await });
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(2) {
        let begun = Instant::now();
        append(&store, "x").await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < AT_ONCE, "{slowest:?}");
    let finished = soon(finishing).await.expect("no panic");
    assert!(matches!(finished, Err(StoreError::Failed(_))), "{finished:?}");
}

/// A deploy that changes the option.
#[tokio::test]
async fn opening_a_log_with_the_other_ordering_stops_no_append_and_decides_once() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "open").await.expect("appended");
    let options = EngineOptions::new().ordering(Ordering::ByLock);
    let by_lock = postgres.store("log", options).await;
    let opening = tokio::spawn(async move { by_lock.bounds().await });
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(2) {
        let begun = Instant::now();
        append(&store, "x").await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < AT_ONCE, "{slowest:?}");
    assert!(soon(opening).await.expect("no panic").is_err(), "the transaction is open");
    transaction.commit().await.expect("committed");

    open_ordered(&postgres, Ordering::ByLock).await;
    let ordering = async || {
        let row = client.query_one("SELECT locked_at IS NOT NULL FROM sse_logs", &[]).await;
        row.expect("the log").get::<_, bool>(0)
    };
    assert!(ordering().await);
    // The process that was there before makes connections, and changes nothing.
    let begun = (0..20).map(|_| store.bounds());
    soon(futures_util::future::join_all(begun)).await;
    assert!(ordering().await);
}

#[tokio::test]
async fn an_id_that_a_transaction_was_given_is_of_the_epoch_at_its_commit() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let log = soon(open_store(store.clone())).await.expect("open");
    let transaction = client.transaction().await.expect("begun");
    let id = store.append_in(&transaction, "x").await.expect("appended");
    let epoch = bounds(&store).await.epoch;
    let refused = soon(store.begin_epoch(epoch)).await.expect_err("the transaction is open");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    transaction.commit().await.expect("committed");
    soon(async { while log.get(&id).await.is_err() {} }).await;
    assert_ne!(soon(store.begin_epoch(epoch)).await.expect("begun"), epoch);
    assert_eq!(texts(&store).await, ["x"]);
}
