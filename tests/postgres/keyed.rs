//! The cost of a keyed log: that of the kept events, and not of the superseded.

use std::collections::HashSet;
use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_core::{Position, StoreOptions};
use sse_log_postgres::EngineOptions;

use crate::plans::{asks, pages};
use crate::tools::{Processes, append, bounds, client, execute, keyed, keyed_once, open, soon};

const RETAIN: &str =
    "SELECT sse_log_let_go('log', 100000, 1000000000, NULL, 100000, '1 ms', now(), 5000, true)";

fn batch(round: usize) -> Vec<EncodedEvent> {
    (0..1000).map(|n| keyed(format!("key {}", n % 10), round * 1000 + n)).collect()
}

/// Only the appends drop events here.
#[tokio::test]
async fn a_keyed_log_under_load_is_followed_and_opened_at_the_cost_of_what_it_keeps() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    for round in 0..40 {
        soon(store.append(&batch(round))).await.expect("stored");
    }
    let client = asks(&postgres).await;
    let count = "SELECT count(*) FROM sse_log_events";
    let rows: i64 = client.query_one(count, &[]).await.expect("counted").get(0);
    assert!(rows <= 3000, "{rows} rows are left of 40 000");
    let look = "EXECUTE look ('log', 0, 0, 1000, 65536)";
    let cost = pages(&client, look).await;
    assert!(cost < 10_000, "{cost} pages");
    // A process that opens it reads to the end.
    let (other, mut after, mut keys) = (open(&postgres).await, Position::START, HashSet::new());
    let newest = bounds(&other).await.newest;
    while after < newest {
        let page = other.read(after, crate::tools::PAGE).await.expect("a page");
        keys.extend(page.events.iter().filter_map(|event| event.key.clone()));
        after = page.events.last().expect("it gets on").position;
    }
    assert_eq!(keys.len(), 10);
}

/// They were held back, and then came all at once.
#[tokio::test]
async fn however_many_were_superseded_at_once_a_look_is_bounded_and_a_reader_gets_on() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let first = append(&store, "first").await;
    let many = "INSERT INTO sse_log_events (log, hi, lo, key, block) \
        SELECT 'log', pg_current_xact_id()::text::bigint, nextval('sse_log_positions'), 'key', 'data: x\\012'::bytea \
        FROM generate_series(1, 20000) n ORDER BY n";
    execute(&postgres, many).await;
    let client = asks(&postgres).await;
    for limit in ["0, 0", "1000, 65536"] {
        let cost = pages(&client, &format!("EXECUTE look ('log', 0, 0, {limit})")).await;
        assert!(cost < 20_000, "{cost} pages for {limit}");
    }
    let newest = append(&store, "newest").await;
    let (mut after, mut reads) = (first, 0);
    while after < newest {
        let page = store.read(after, PageLimit { events: 1000, bytes: 65536 }).await;
        after = page.expect("a page").events.last().expect("it gets on").position;
        reads += 1;
    }
    assert!(reads <= 23, "{reads} pages");
    let before = store.before_last(PageLimit { events: 2, bytes: usize::MAX }).await;
    assert!(before.expect("a position") >= bounds(&store).await.floor);
}

/// A backup, say: until it ends no dead row is removed. Nothing but superseded events and old keys goes here, so the floor stays where it is.
#[tokio::test]
async fn an_old_snapshot_makes_neither_a_look_nor_retention_nor_forgetting_slower() {
    let postgres = Postgres::start().await;
    let idempotency_window = Duration::from_millis(1);
    let options = StoreOptions::new().idempotency_window(idempotency_window);
    let shared = postgres.shared(EngineOptions::default()).await;
    let store = shared.store("log", options.clone()).await.expect("a name");
    bounds(&store).await;
    let backup = client(&postgres).await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM sse_logs";
    backup.batch_execute(begin).await.expect("begun");
    for round in 0..20 {
        let once = |n: usize| {
            keyed_once(format!("key {}", n % 10), format!("{round} {n}"), round * 1000 + n)
        };
        let events: Vec<_> = (0..1000).map(once).collect();
        soon(store.append(&events)).await.expect("stored");
        soon(store.retain(&options.retention())).await.expect("retained");
    }
    let client = asks(&postgres).await;
    let left = "SELECT (SELECT count(*) FROM sse_log_events), (SELECT count(*) FROM sse_log_keys)";
    let row = client.query_one(left, &[]).await.expect("counted");
    assert!(row.get::<_, i64>(0) == 10 && row.get::<_, i64>(1) <= 1000, "{row:?}");
    for sql in
        ["EXECUTE look ('log', 0, 0, 0, 0)", "EXECUTE look ('log', 0, 0, 1000, 65536)", RETAIN]
    {
        pages(&client, sql).await; // what is planned and looked up once
        let cost = pages(&client, sql).await;
        assert!(cost < 200, "{cost} pages: {sql}");
    }
    backup.batch_execute("COMMIT").await.expect("it was open");
}
