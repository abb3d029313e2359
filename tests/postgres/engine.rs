//! The connections that the logs of a process share.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use sse_conformance::engines::Postgres;
use sse_core::EventLog;
use sse_core::store::Store;
use sse_log_postgres::{Engine, EngineOptions, StoreOptions};
use sse_test_kit::engines::EngineServer;
use tokio_postgres::Client;

use crate::tools::{Processes, append, begin, bounds, client, event, once, soon, take};

async fn connections(client: &Client) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    client.query_one(count, &[]).await.expect("counted").get(0)
}

/// Sixteen at a time.
async fn open_all(engine: &Engine, count: usize) -> Vec<EventLog> {
    let options = StoreOptions::new().store_check(Duration::from_secs(30));
    let open = |n: usize| {
        let options = options.clone();
        async move { engine.open(&format!("log-{n}"), options).await }
    };
    let opened = stream::iter(0..count).map(open).buffer_unordered(16);
    opened.map(|log| log.expect("open")).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_logs_have_ten_connections_and_are_closed_within_a_second() {
    let postgres = Postgres::start().await;
    let (client, engine) =
        (client(&postgres).await, postgres.shared(EngineOptions::default()).await);
    let begun = Instant::now();
    let logs = open_all(&engine, 1000).await;
    let created = begun.elapsed();
    assert!(connections(&client).await <= 10);
    drop(logs);
    let begun = Instant::now();
    let logs = open_all(&engine, 1000).await;
    let opened = begun.elapsed();
    println!("created in {created:?}, opened in {opened:?}");
    assert!(created + opened < Duration::from_secs(60), "{created:?}, {opened:?}");
    soon(async { while logs.iter().any(|log| !log.stats().is_followed) {} }).await;
    logs[7].append("seven").await.expect("stored");
    assert!(connections(&client).await <= 10);
    assert_eq!(engine.logs().await.expect("names").len(), 1000);
    drop((logs, engine));
    let begun = Instant::now();
    soon(async { while connections(&client).await > 0 {} }).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_opened_by_one_url_shares_its_connections_until_their_runtime_ends() {
    let postgres = Postgres::start().await;
    let client = client(&postgres).await;
    let url = format!("postgres://postgres@{}/postgres", postgres.address());
    let open = |name: &'static str| {
        let url = url.clone();
        async move { sse_log_postgres::open(&url, name).await.expect("open") }
    };
    let logs = join_all(["a", "b", "c", "d", "e"].map(open)).await;
    assert!(connections(&client).await <= 9);
    let (open, url) = (logs.len(), url.clone());
    // In another runtime, which ends.
    for _ in 0..2 {
        let url = url.clone();
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let log = sse_log_postgres::open(&url, "a").await.expect("open");
                log.append("x").await.expect("stored");
            });
        });
        tokio::task::spawn_blocking(|| other.join()).await.expect("joined").expect("no panic");
    }
    assert_eq!(open, 5);
    soon(logs[0].append("y")).await.expect("stored");
}

#[tokio::test]
async fn one_log_that_is_stuck_holds_up_no_other() {
    let postgres = Postgres::start().await;
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = |name| shared.store(name, StoreOptions::default());
    let (stuck, other) =
        (store("stuck").await.expect("a name"), store("other").await.expect("a name"));
    for store in [&stuck, &other] {
        append(store, "before").await;
    }
    execute_lock(&postgres, async {
        let once = |n: usize| [once(n, n)];
        let events: Vec<_> = (0..40).map(once).collect();
        let plain = [event("plain")];
        let waiting = join_all(events.iter().map(|event| stuck.append(event)));
        let more = join_all((0..10).map(|_| stuck.append(&plain)));
        let others = async {
            let mut slowest = Duration::ZERO;
            for n in 0..20 {
                let begun = Instant::now();
                append(&other, n).await;
                bounds(&other).await;
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        };
        let (slowest, waiting, more) = tokio::join!(others, waiting, more);
        assert!(waiting.iter().chain(&more).all(Result::is_err), "they were stuck");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    })
    .await;
}

/// Does this while nobody can append to the log `stuck`.
async fn execute_lock(postgres: &Postgres, doing: impl Future<Output = ()>) {
    let locker = client(postgres).await;
    locker.query("SELECT pg_advisory_lock(sse_log_lock('stuck'))", &[]).await.expect("locked");
    doing.await;
}

/// The question which server it is, once for all, and nothing else.
#[tokio::test]
async fn idle_logs_ask_one_question_a_second_for_all() {
    let postgres = Postgres::start().await;
    let shared = postgres.shared(EngineOptions::default()).await;
    let mut followed = Vec::new();
    for n in 0..20 {
        let store = shared.store(&format!("log-{n}"), StoreOptions::default()).await;
        let store = store.expect("a name");
        let newest = append(&store, "one").await;
        let mut pages = store.follow(newest.previous()).await.expect("followed");
        take(&mut pages, 1).await;
        followed.push(tokio::spawn(async move { pages.next().await.map(|_| ()) }));
    }
    // Notified events are looked for until then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    postgres.log_statements().await;
    let (before, begun) = (postgres.statements(""), Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = postgres.statements("") - before;
    let most = begun.elapsed().as_secs() as usize + 2;
    assert!((1..=most).contains(&asked), "{asked} statements, of which {most} would do");
}

#[tokio::test]
async fn an_append_that_comes_alone_makes_five_transactions_at_most() {
    let postgres = Postgres::start().await;
    let shared = postgres.shared(EngineOptions::default()).await;
    let options = StoreOptions::new().store_check(Duration::from_secs(30));
    let store = shared.store("log", options).await.expect("a name");
    let newest = append(&store, "first").await;
    let mut pages = store.follow(newest.previous()).await.expect("followed");
    take(&mut pages, 1).await;
    postgres.log_statements().await;
    let before = postgres.statements("");
    for n in 0..10 {
        append(&store, n).await;
        take(&mut pages, 1).await;
        _ = tokio::time::timeout(Duration::from_millis(500), pages.next()).await;
    }
    let asked = postgres.statements("") - before;
    let kinds = [
        "sse_log_append",
        "pg_notify",
        "Returns the bounds of the log",
        "Returns the identity",
        "Returns the state of all",
    ];
    let kinds = kinds.map(|kind| (kind, postgres.statements(kind)));
    assert!(asked <= 50, "{asked} statements for 10 appends: {kinds:?}");
}

/// In any database of the cluster.
#[tokio::test]
async fn while_another_transaction_is_open_a_log_is_looked_at_twice_a_second() {
    let postgres = Postgres::start().await;
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", StoreOptions::default()).await.expect("a name");
    let newest = append(&store, "first").await;
    let mut pages = store.follow(newest.previous()).await.expect("followed");
    take(&mut pages, 1).await;
    let other = client(&postgres).await;
    begin(&other).await;
    append(&store, "held").await;
    let held = tokio::spawn(async move { take(&mut pages, 1).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    postgres.log_statements().await;
    let (before, begun) = (postgres.statements("Returns the bounds of the log"), Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let looks = postgres.statements("Returns the bounds of the log") - before;
    let most = 2 * begun.elapsed().as_secs() as usize + 3;
    assert!((1..=most).contains(&looks), "{looks} looks");
    other.batch_execute("COMMIT").await.expect("it was open");
    assert_eq!(soon(held).await.expect("no panic")[0].1, "held");
}
