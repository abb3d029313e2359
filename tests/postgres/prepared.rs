//! A transaction that is prepared for two-phase commit.

use sse_conformance::engines::Postgres;
use sse_conformance::suite::store_engine::Durable;
use sse_core::store::Store;
use sse_log_postgres::{EngineOptions, InTransactions};
use sse_test_kit::engines::EngineServer;

use crate::tools::{Processes, append, bounds, client, execute, take, texts};

#[tokio::test]
async fn a_transaction_that_appends_and_does_not_notify_can_be_prepared_and_is_found() {
    let postgres = Postgres::start().await;
    execute(&postgres, "ALTER SYSTEM SET max_prepared_transactions = 5").await;
    postgres.crash().await;
    EngineServer::start(&postgres).await;
    let options = EngineOptions::new().in_transactions(InTransactions::DoNotNotify);
    let (store, mut client) = (postgres.store("log", options).await, client(&postgres).await);
    append(&store, "before").await;
    let mut pages = store.follow(bounds(&store).await.newest).await.expect("followed");
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "prepared").await.expect("appended");
    transaction.batch_execute("PREPARE TRANSACTION 'x'").await.expect("prepared");
    drop(transaction);
    // It is open, and holds back what comes after it.
    append(&store, "after").await;
    assert_eq!(texts(&store).await, ["before"]);
    execute(&postgres, "COMMIT PREPARED 'x'").await;
    let seen = take(&mut pages, 2).await;
    assert_eq!([&seen[0].1, &seen[1].1], ["prepared", "after"]);
}
