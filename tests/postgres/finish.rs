//! A log is finished while others append.

use sse_conformance::engines::Postgres;
use sse_core::store::{Store, StoreError};
use tokio_postgres::IsolationLevel;

use crate::tools::{append, begin, bounds, client, event, open, soon, texts};

#[tokio::test]
async fn a_log_is_finished_once_those_who_append_have_come_to_an_end() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "just in time").await.expect("appended");
    let finishing = tokio::spawn({
        let store = store.clone();
        async move { store.finish().await }
    });
    let waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    soon(async { while transaction.query(waits, &[]).await.expect("locks").is_empty() {} }).await;
    transaction.commit().await.expect("committed");
    soon(finishing).await.expect("no panic").expect("finished");
    let bounds = bounds(&store).await;
    assert!(bounds.is_finished);
    assert_eq!(bounds.newest, bounds.oldest.expect("one event"));
    assert_eq!(texts(&store).await, ["just in time"]);
}

#[tokio::test]
async fn a_finish_that_would_wait_for_long_fails_and_says_so() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "slow").await.expect("appended");
    let failed = soon(store.finish()).await.expect_err("a transaction appends");
    assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
    assert!(crate::tools::told(&failed).contains("lock timeout"), "{failed:?}");
    append(&store, "others go on").await;
    transaction.commit().await.expect("committed");
    soon(store.finish()).await.expect("finished");
    assert_eq!(texts(&store).await, ["slow", "others go on"]);
}

/// A transaction that began before would not see that the log is finished.
#[tokio::test]
async fn a_finished_log_takes_no_event_of_a_transaction_that_began_before() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let repeatable = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let transaction = repeatable.start().await.expect("begun");
    transaction.query("SELECT FROM sse_logs", &[]).await.expect("its snapshot is from now");
    store.finish().await.expect("finished");
    let refused = store.append_in(&transaction, "late").await.expect_err("it is finished");
    assert!(refused.is_store(), "{refused}");
    drop(transaction);
    assert!(texts(&store).await.is_empty());

    let repeatable = client.build_transaction().isolation_level(IsolationLevel::Serializable);
    let transaction = repeatable.start().await.expect("begun");
    let refused = store.append_in(&transaction, "late").await.expect_err("it is finished");
    assert!(refused.is_finished(), "{refused}");
}

/// Nothing can come any more, so nothing is waited for.
#[tokio::test]
async fn a_finished_log_is_read_to_its_end_whatever_else_is_open() {
    let postgres = Postgres::start().await;
    let (store, other) = (open(&postgres).await, client(&postgres).await);
    begin(&other).await;
    let last = append(&store, "last").await;
    assert!(bounds(&store).await.newest < last, "held back");
    store.finish().await.expect("finished");
    let bounds = bounds(&store).await;
    assert_eq!((bounds.newest, bounds.is_finished), (last, true));
    let refused = store.append(&[event("more")]).await;
    assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
}
