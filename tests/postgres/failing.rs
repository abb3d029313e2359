//! The failures, the calls that they concern, and the errors.

use std::time::Duration;

use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::store::{Store, StoreError};
use sse_core::{Event, Position};
use sse_log_postgres::{EngineOptions, StoreOptions};

use crate::tools::{
    Processes, append, bounds, client, event, execute, once, open, soon, take, texts,
};

/// Has each append do this at the server.
async fn on_append(postgres: &Postgres, what: &str) {
    let function = format!(
        "CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$;
         CREATE TRIGGER meanwhile AFTER INSERT ON sse_log_events EXECUTE FUNCTION meanwhile()"
    );
    execute(postgres, &function).await;
}

/// A transaction that has stored an event with the same key and is open: an append with another key does not wait for long.
#[tokio::test]
async fn an_idempotency_key_that_is_waited_for_fails_its_own_append_alone() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new().store_timeout(Duration::from_secs(4));
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options).await.expect("a name");
    append(&store, "first").await;
    let mut client = client(&postgres).await;
    let once = |key: &str| once(key, key);
    let transaction = client.transaction().await.expect("begun");
    let taken = Event::new("taken").idempotency_key("taken").expect("short");
    store.append_in(&transaction, taken).await.expect("appended");

    let (taken, plain) = ([once("taken")], [event("plain")]);
    let others = ["a", "b", "c"].map(|key| [once(key)]);
    let others = join_all(others.iter().map(|other| store.append(other)));
    let begun = std::time::Instant::now();
    let plain = async {
        store.append(&plain).await.expect("it has no key");
        begun.elapsed()
    };
    let (taken, others, waited) =
        soon(async { tokio::join!(store.append(&taken), others, plain) }).await;
    assert!(matches!(taken, Err(StoreError::Failed(_))), "{taken:?}");
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(waited < Duration::from_secs(2), "what has no key waits for none: {waited:?}");
    transaction.commit().await.expect("committed");
    store.append(&[once("taken")]).await.expect("known");
    assert_eq!(texts(&store).await.iter().filter(|text| *text == "taken").count(), 1);
}

/// This happens behind a proxy that gives the session to others, or after the tables were changed.
#[tokio::test]
async fn a_connection_that_has_lost_its_statements_is_not_used_again() {
    let postgres = Postgres::start().await;
    let store = postgres.store("log", EngineOptions::new().connections(1)).await;
    append(&store, "one").await;
    on_append(&postgres, "DEALLOCATE ALL").await;
    for text in ["two", "three", "four"] {
        append(&store, text).await;
    }
    execute(&postgres, "DROP FUNCTION meanwhile CASCADE").await;
    append(&store, "five").await;
    assert_eq!(texts(&store).await, ["one", "two", "three", "four", "five"]);
    execute(&postgres, "ALTER TABLE sse_logs ALTER epoch TYPE varchar(20)").await;
    assert_eq!(texts(&store).await.len(), 5);
}

/// A proxy says it in the words of the server.
#[tokio::test]
async fn an_error_of_a_proxy_that_has_lost_its_server_leaves_the_outcome_unknown() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    for code in ["08006", "08007", "08P01", "40003"] {
        on_append(&postgres, &format!("RAISE 'gone' USING ERRCODE = '{code}'")).await;
        let failed = soon(store.append(&[event("x")])).await.expect_err("it says so");
        assert!(matches!(failed, StoreError::OutcomeUnknown(_)), "{code}: {failed:?}");
        execute(&postgres, "DROP FUNCTION meanwhile CASCADE").await;
    }
    on_append(&postgres, "RAISE 'no' USING ERRCODE = '23514'").await;
    let failed = soon(store.append(&[event("x")])).await.expect_err("it says so");
    assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
}

#[tokio::test]
async fn finishing_a_log_that_is_gone_succeeds() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    execute(&postgres, "DELETE FROM sse_logs").await;
    store.finish().await.expect("finished");
    assert!(matches!(store.append(&[event("x")]).await, Err(StoreError::Finished)));
}

/// If each transaction is serializable by default, those of a log would be in the way of one another.
#[tokio::test]
async fn transactions_of_a_log_are_read_committed_whatever_the_server_is_set_to() {
    let postgres = Postgres::start().await;
    execute(&postgres, "ALTER SYSTEM SET default_transaction_isolation = serializable").await;
    execute(&postgres, "SELECT pg_reload_conf()").await;
    soon(async {
        let is_set = async || {
            let client = client(&postgres).await;
            let row = client.query_one("SHOW default_transaction_isolation", &[]).await;
            row.expect("a setting").get::<_, String>(0) == "serializable"
        };
        while !is_set().await {}
    })
    .await;
    let stores = join_all((0..4).map(|_| postgres.store("log", EngineOptions::default()))).await;
    let mut pages = soon(stores[0].follow(Position::START)).await.expect("followed");
    for round in 0..20 {
        let text = round.to_string();
        let once = [once(&text, &text)];
        let appended = join_all((0..16).map(|n| stores[n % 4].append(&once))).await;
        assert!(appended.iter().all(Result::is_ok), "{appended:?}");
    }
    let epoch = bounds(&stores[0]).await.epoch;
    let begun = join_all((0..16).map(|n| stores[n % 4].begin_epoch(epoch))).await;
    assert!(begun.iter().all(Result::is_ok), "{begun:?}");
    let seen = take(&mut pages, 20).await;
    let deleted =
        join_all(seen.iter().enumerate().map(|(n, (event, _))| stores[n % 4].delete(*event)));
    let deleted = deleted.await;
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    let seen: Vec<_> = seen.into_iter().map(|(_, text)| text).collect();
    assert_eq!(seen, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}
