//! Events within the application's own transactions.

use sse_conformance::engines::Postgres;
use sse_conformance::suite::store_engine::Durable;
use sse_core::store::Store;
use sse_core::{Event, EventId, Position};
use sse_log_postgres::open_store;

use crate::tools::{append, bounds, client, execute, open, soon, take, texts};

#[tokio::test]
async fn an_event_comes_with_the_rows_of_its_transaction_or_not_at_all() {
    let postgres = Postgres::start().await;
    execute(&postgres, "CREATE TABLE orders (item text)").await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let mut pages = store.follow(Position::START).await.expect("followed");
    let mut ids = Vec::new();
    for (item, is_kept) in [("tea", true), ("salt", false), ("rice", true)] {
        let transaction = client.transaction().await.expect("begun");
        let insert = "INSERT INTO orders (item) VALUES ($1)";
        transaction.execute(insert, &[&item]).await.expect("inserted");
        let id = store.append_in(&transaction, item).await.expect("appended");
        assert!(!texts(&store).await.contains(&item.to_owned()), "not before it is committed");
        match is_kept {
            true => transaction.commit().await.expect("committed"),
            false => transaction.rollback().await.expect("rolled back"),
        }
        ids.push(id);
    }
    assert_eq!(texts(&store).await, ["tea", "rice"]);
    let rows = client.query("SELECT item FROM orders", &[]).await.expect("rows");
    let items: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(items, ["tea", "rice"]);

    let log = soon(open_store(store.clone())).await.expect("open");
    for (id, is_there) in ids.iter().zip([true, false, true]) {
        assert_eq!(log.get(id).await.is_ok(), is_there, "it has the id that was answered");
    }
    append(&store, "last").await;
    let seen: Vec<_> = take(&mut pages, 3).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(seen, ["tea", "rice", "last"], "each once, in order");
}

#[tokio::test]
async fn events_of_one_transaction_come_in_the_order_in_which_they_were_appended() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let mut transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "1").await.expect("appended");
    let undone = transaction.savepoint("undone").await.expect("a savepoint");
    store.append_in(&undone, "undone").await.expect("appended");
    undone.rollback().await.expect("rolled back");
    let kept = transaction.savepoint("kept").await.expect("a savepoint");
    store.append_in(&kept, "2").await.expect("appended");
    kept.commit().await.expect("kept");
    let ids = store.append_all_in(&transaction, ["3", "4", "5"]).await.expect("appended");
    assert_eq!(ids.len(), 3);
    store.append_in(&transaction, "6").await.expect("appended");
    transaction.commit().await.expect("committed");
    assert_eq!(texts(&store).await, ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn keys_mean_the_same_within_a_transaction() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    let once = || Event::new("once").idempotency_key("order 7").expect("short");
    let keyed = |text: &str| Event::new(text).key("stock").expect("short");
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, once()).await.expect("appended");
    transaction.rollback().await.expect("rolled back");

    store.append(&[keyed("12 left").encode(1000).expect("an event")]).await.expect("stored");
    let transaction = client.transaction().await.expect("begun");
    let first = store.append_in(&transaction, once()).await.expect("appended");
    let again = store.append_in(&transaction, once()).await.expect("known");
    store.append_in(&transaction, keyed("11 left")).await.expect("appended");
    assert_eq!(first, again);
    transaction.commit().await.expect("committed");
    let appended = store.append(&[once().encode(1000).expect("an event")]).await.expect("known");
    assert_eq!(id(&store, appended.positions[0]).await, first);
    assert_eq!(texts(&store).await, ["once", "11 left"]);
}

async fn id(store: &sse_log_postgres::PostgresStore, position: Position) -> EventId {
    position.id(bounds(store).await.epoch)
}

#[tokio::test]
async fn what_a_log_refuses_leaves_the_transaction_as_it_is() {
    let postgres = Postgres::start().await;
    execute(&postgres, "CREATE TABLE orders (item text)").await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    store.finish().await.expect("finished");
    let transaction = client.transaction().await.expect("begun");
    transaction.execute("INSERT INTO orders VALUES ('tea')", &[]).await.expect("inserted");
    let refused = store.append_in(&transaction, "late").await.expect_err("it is finished");
    assert!(refused.is_finished(), "{refused}");
    let without_data = store.append_in(&transaction, Event::default()).await;
    assert!(without_data.expect_err("nobody would see it").is_invalid_event());
    let nul = Event::new("nul").key("\0").expect("a key");
    assert!(store.append_in(&transaction, nul).await.expect_err("no text").is_store());
    transaction.commit().await.expect("committed");
    let rows = client.query("SELECT FROM orders", &[]).await.expect("rows");
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn an_event_outlives_a_crash_though_other_commits_do_not_wait_for_the_disk() {
    let postgres = Postgres::start().await;
    // Otherwise what does not wait is on the disk a moment later.
    execute(&postgres, "ALTER SYSTEM SET wal_writer_delay = '10s'").await;
    postgres.crash().await;
    let store = open(&postgres).await;
    let mut connection = client(&postgres).await;
    connection.batch_execute("SET synchronous_commit = off").await.expect("set");
    let transaction = connection.transaction().await.expect("begun");
    store.append_in(&transaction, "event").await.expect("appended");
    transaction.commit().await.expect("committed");
    postgres.crash().await;
    assert_eq!(texts(&open(&postgres).await).await, ["event"]);
}

#[tokio::test]
async fn a_transaction_that_appends_waits_for_the_disk_and_those_after_it_do_as_they_did() {
    let postgres = Postgres::start().await;
    let (store, mut client) = (open(&postgres).await, client(&postgres).await);
    client.batch_execute("SET synchronous_commit = off").await.expect("set");
    let transaction = client.transaction().await.expect("begun");
    store.append_in(&transaction, "event").await.expect("appended");
    let row = transaction.query_one("SHOW synchronous_commit", &[]).await.expect("a setting");
    assert_eq!(row.get::<_, &str>(0), "on", "this transaction waits");
    transaction.commit().await.expect("committed");
    let row = client.query_one("SHOW synchronous_commit", &[]).await.expect("a setting");
    assert_eq!(row.get::<_, &str>(0), "off", "others do as they did");
}
