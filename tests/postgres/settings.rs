//! The users' permissions, and the ways to open a log.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::Position;
use sse_core::store::{Store, StoreError};
use sse_log_postgres::tokio_postgres::NoTls;
use sse_log_postgres::{
    EngineOptions, Migrations, PostgresStore, StoreOptions, connect, connect_with,
};
use sse_test_kit::engines::{EngineServer, Located};

use crate::tools::{
    Processes, append, bounds, client, event, execute, keyed, once, open, soon, texts, told,
};

/// The migrations as an application runs them: in the order of their names.
const MIGRATION: &str = concat!(
    include_str!("../../crates/sse-log-postgres/migrations/0001_logs.sql"),
    include_str!("../../crates/sse-log-postgres/migrations/0002_open.sql"),
    include_str!("../../crates/sse-log-postgres/migrations/0003_events.sql"),
    include_str!("../../crates/sse-log-postgres/migrations/0004_retain.sql"),
    include_str!("../../crates/sse-log-postgres/migrations/0005_topics.sql"),
);

#[tokio::test]
async fn nothing_is_created_if_the_options_say_that_it_is_there() {
    let postgres = Postgres::start().await;
    let options = EngineOptions::new().migrations(Migrations::AreApplied);
    let store = postgres.store("log", options).await;
    let failed = soon(store.append(&[event("x")])).await.expect_err("there are no tables");
    assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
    assert!(told(&failed).contains("sse_log_open"), "{}", told(&failed));

    execute(&postgres, MIGRATION).await;
    append(&store, "x").await;
    execute(&postgres, MIGRATION).await; // any number of times
    assert_eq!(texts(&store).await, ["x"]);
}

/// Two versions of a process run while one takes the place of the other.
#[tokio::test]
async fn what_a_later_version_has_made_of_the_tables_is_left_as_it_is() {
    let postgres = Postgres::start().await;
    append(&open(&postgres).await, "one").await;
    let (made, client) = ("sse-log-postgres, schema 99", client(&postgres).await);
    let comment = format!("COMMENT ON TABLE sse_logs IS '{made}'");
    client.batch_execute(&comment).await.expect("said");
    assert_eq!(texts(&open(&postgres).await).await, ["one"]);
    let said = "SELECT obj_description('sse_logs'::regclass, 'pg_class')";
    let said = client.query_one(said, &[]).await.expect("a comment");
    assert_eq!(said.get::<_, &str>(0), made);
}

/// For ever, that is.
#[tokio::test]
async fn times_may_be_as_long_as_there_are() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new()
        .age(Duration::MAX)
        .idempotency_window(Duration::MAX)
        .store_timeout(Duration::MAX);
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options.clone()).await.expect("a name");
    let once = [once("once", "once")];
    for _ in 0..2 {
        soon(store.append(&once)).await.expect("stored");
        store.retain(&options.retention()).await.expect("retained");
    }
    assert_eq!(texts(&store).await, ["once"]);
}

async fn store(url: &str) -> PostgresStore {
    let shared = connect(url, EngineOptions::default()).await.expect("a URL");
    shared.store("log", StoreOptions::default()).await.expect("a name")
}

#[tokio::test]
async fn the_tables_are_in_the_first_schema_of_the_search_path() {
    let postgres = Postgres::start().await;
    execute(&postgres, "CREATE SCHEMA events").await;
    let url = postgres.url();
    let url = url.strip_prefix("postgres:").expect("the URL of a store");
    let there = format!("{url}?options=-csearch_path%3Devents");
    let store = store(&there).await;
    append(&store, "there").await;
    execute(&postgres, "SELECT FROM events.sse_log_events").await;
    let elsewhere = open(&postgres).await;
    assert_eq!((texts(&store).await, texts(&elsewhere).await), (vec!["there".into()], vec![]));
}

#[tokio::test]
async fn a_url_that_wants_tls_is_not_connected_to_without() {
    let postgres = Postgres::start().await;
    let url = postgres.url();
    let url = url.strip_prefix("postgres:").expect("the URL of a store");
    let only_tls = format!("{url}?sslmode=require");
    let refused = soon(store(&only_tls).await.bounds()).await.expect_err("there is no TLS");
    assert!(
        matches!(refused, StoreError::Failed(_)) && told(&refused).contains("TLS"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_user_who_may_create_nothing_uses_what_is_there() {
    let postgres = Postgres::start().await;
    let owner = open(&postgres).await;
    append(&owner, "one").await;
    execute(
        &postgres,
        "CREATE USER app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app",
    )
    .await;
    let mut config = postgres.config();
    config.user("app");
    let shared = connect_with(config, NoTls, EngineOptions::default()).await.expect("a runtime");
    let store = shared.store("log", StoreOptions::default()).await.expect("a name");
    append(&store, "two").await;
    store.retain(&StoreOptions::new().events(1).retention()).await.expect("retained");
    assert_eq!(texts(&store).await, ["two"]);
    store.delete(bounds(&store).await.newest).await.expect("deleted");
    store.begin_epoch(bounds(&store).await.epoch).await.expect("begun");
    store.finish().await.expect("finished");
    assert!(bounds(&store).await.is_finished);
}

#[tokio::test]
async fn an_invalid_name_is_refused() {
    let shared = connect("postgres://h/d", EngineOptions::default()).await.expect("a URL");
    for name in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        let refused = shared.store(name, StoreOptions::default()).await;
        assert!(told(&refused.expect_err("no name")).contains("1 to 64"), "{name:?}");
    }
    let refused = connect("no url", EngineOptions::default()).await;
    assert!(refused.expect_err("no url").is_store());
}

/// Names of which Postgres would take the beginning alone.
#[tokio::test]
async fn logs_share_nothing_however_long_their_names() {
    let postgres = Postgres::start().await;
    let names = ["x".repeat(64), "x".repeat(63)];
    let stores =
        join_all(names.iter().map(|name| postgres.store(name, EngineOptions::default()))).await;
    for (n, store) in stores.iter().enumerate() {
        append(store, n).await;
    }
    for (n, store) in stores.iter().enumerate() {
        assert_eq!(texts(store).await, [n.to_string()]);
    }
}

/// An event that cannot be stored does not keep the others from being stored.
#[tokio::test]
async fn an_event_that_cannot_be_stored_fails_alone() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let nul = [keyed("\0", "nul")];
    let good = (0..20).map(|_| store.append(std::slice::from_ref(&GOOD)));
    let (bad, good) = tokio::join!(store.append(&nul), join_all(good));
    let bad = bad.expect_err("Postgres has no such text");
    assert!(matches!(bad, StoreError::Failed(_)) && told(&bad).contains("NUL"), "{bad:?}");
    assert!(good.iter().all(Result::is_ok));
}
static GOOD: std::sync::LazyLock<sse_core::store::EncodedEvent> =
    std::sync::LazyLock::new(|| event("good"));

/// It accepts connections, as a server does that hangs.
#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_after_the_time_for_connecting() {
    let postgres = Postgres::start().await;
    open(&postgres).await;
    postgres.pause();
    let store = postgres.store("log", EngineOptions::default()).await;
    let begun = Instant::now();
    let bounds = soon(store.bounds()).await.expect_err("nobody answers");
    let follow = soon(store.follow(Position::START)).await.expect_err("nobody answers");
    for failed in [bounds, follow] {
        assert!(matches!(failed, StoreError::Failed(_)), "nothing was done: {failed:?}");
    }
    // Twice 1 s; without it, twice 4 s.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    postgres.resume();
    append(&store, "after").await;
}

/// A lock on the table, as a migration of the application's takes it.
#[tokio::test]
async fn an_append_that_waits_for_a_lock_fails_in_time_and_says_so() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new().store_timeout(Duration::from_secs(1));
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options).await.expect("a name");
    append(&store, "before").await;
    let other = client(&postgres).await;
    other.batch_execute("BEGIN; LOCK TABLE sse_log_events").await.expect("locked");
    let begun = Instant::now();
    let failed = soon(store.append(&[event("x")])).await.expect_err("it is locked");
    assert!(matches!(failed, StoreError::Failed(_)), "it was not stored: {failed:?}");
    assert!(told(&failed).contains("lock timeout"), "{}", told(&failed));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    other.batch_execute("ROLLBACK").await.expect("released");
    append(&store, "after").await;
    assert_eq!(texts(&store).await, ["before", "after"]);
}
