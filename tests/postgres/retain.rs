//! Many events have come while nothing was dropped.

use futures_util::future::join_all;
use sse_conformance::engines::Postgres;
use sse_core::store::Store;
use sse_log_postgres::{EngineOptions, StoreOptions};

use crate::tools::{Processes, append, bounds, client, event, execute, keyed, once, open, texts};

/// Stores events as `sse_log_append` does, but faster.
const MANY: &str = "INSERT INTO sse_log_events (log, hi, lo, key, block) \
    SELECT 'log', pg_current_xact_id()::text::bigint, nextval('sse_log_positions'), \
        CASE WHEN n % 2 = 0 THEN 'key ' || n % 7 END, convert_to(E'data: ' || n || E'\n', 'UTF8') \
    FROM generate_series(1, 12000) n ORDER BY n";

/// One statement, which would not end in time if there are very many events: then none would ever be dropped.
const ONCE: &str =
    "SELECT sse_log_let_go('log', 10, 1000000, NULL, 100000, '2 min', now(), 5000, true)";

#[tokio::test]
async fn retention_drops_events_in_small_steps_however_many_there_are() {
    let postgres = Postgres::start().await;
    let (store, client) = (open(&postgres).await, client(&postgres).await);
    execute(&postgres, MANY).await;
    let newest = append(&store, "newest").await;
    let row = client.query_one(ONCE, &[]).await.expect("dropped");
    assert!(row.get::<_, bool>(0), "there is more to do");
    let counted = "SELECT counted_lo, floor_lo FROM sse_log_kept";
    let row = client.query_one(counted, &[]).await.expect("the log is there");
    let (counted, floor): (i64, i64) = (row.get(0), row.get(1));
    assert!((1..=5001).contains(&counted), "{counted} of 12 001 were looked at");
    assert!(floor < counted, "what was not counted stays");

    let retention = StoreOptions::new().events(10).retention();
    store.retain(&retention).await.expect("retained");
    let kept = texts(&store).await;
    // The newest event of each of the seven keys: 11 988 is the newest of its own; between them are those without a key.
    assert_eq!(kept.len(), 10, "{kept:?}");
    assert_eq!(kept[9], "newest");
    assert!(bounds(&store).await.floor < newest);
    store.retain(&retention).await.expect("nothing to do");
    assert_eq!(texts(&store).await, kept);
}

#[tokio::test]
async fn however_many_idempotency_keys_are_old_they_are_forgotten_in_small_steps() {
    let postgres = Postgres::start().await;
    let (store, client) = (open(&postgres).await, client(&postgres).await);
    append(&store, "one").await;
    let many = "INSERT INTO sse_log_keys (log, key, epoch, hi, lo, stored_at) \
        SELECT 'log', n::text, '', 1, n, now() - interval '1 hour' FROM generate_series(1, 12000) n";
    execute(&postgres, many).await;
    let left = async || {
        let row = client.query_one("SELECT count(*) FROM sse_log_keys", &[]).await;
        row.expect("counted").get::<_, i64>(0)
    };
    let row = client.query_one(ONCE, &[]).await.expect("dropped");
    assert!(row.get::<_, bool>(0), "there is more to do");
    assert_eq!(left().await, 7000);
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    assert_eq!(left().await, 0);
}

/// The counts are never computed again: an error would stay, and retention would drop too many events, or too few.
#[tokio::test]
async fn what_is_counted_is_what_there_is_whatever_is_done_at_the_same_time() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let retention = StoreOptions::new().events(40).retention();
    let busy = |n: u64| {
        let (store, mut random) = (store.clone(), fastrand::Rng::with_seed(n));
        async move {
            let mut own = Vec::new();
            for round in 0..60 {
                match random.u8(0..10) {
                    0 => _ = store.retain(&retention).await.expect("retained"),
                    1 | 2 if !own.is_empty() => {
                        let event = own.swap_remove(random.usize(..own.len()));
                        store.delete(event).await.expect("deleted");
                    }
                    kind => {
                        let text = "x".repeat(random.usize(0..50));
                        let event = match kind {
                            3..6 => keyed(random.u8(0..9), text),
                            6 => once(round / 3, text),
                            _ => event(text),
                        };
                        let stored = store.append(&[event]).await;
                        own.extend(stored.expect("stored").positions);
                    }
                }
            }
        }
    };
    join_all((0..8).map(busy)).await;
    store.retain(&retention).await.expect("retained");
    let counted =
        "SELECT k.events, k.bytes, count(e.block), coalesce(sum(octet_length(e.block)), 0)::bigint
        FROM sse_log_kept k JOIN sse_log_events e ON e.log = k.log GROUP BY k.events, k.bytes";
    let row = client(&postgres).await.query_one(counted, &[]).await.expect("counted");
    let number = |n: usize| row.get::<_, i64>(n);
    assert_eq!((number(0), number(1)), (number(2), number(3)));
    assert!((1..=40).contains(&number(0)), "{}", number(0));
}

/// Two processes append as the bench does. Only the appends drop events, and only readable ones: events that a transaction delays come on top.
/// On a busy machine an append can take a second, and delay all events that are stored meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn however_fast_it_is_appended_there_are_at_most_twice_as_many_events_as_the_limit() {
    let postgres = Postgres::start().await;
    let options = StoreOptions::new().events(2000);
    let mut publishers = Vec::new();
    open(&postgres).await; // it makes the tables
    for process in 0..2 {
        let shared = postgres.shared(EngineOptions::default()).await;
        let store = shared.store("log", options.clone()).await.expect("a name");
        for publisher in 0..128 {
            let store = store.clone();
            publishers.push(tokio::spawn(async move {
                for n in 0..100 {
                    let text = event(format!("{process} {publisher} {n}"));
                    store.append(&[text]).await.expect("stored");
                }
            }));
        }
    }
    let client = client(&postgres).await;
    let count = "SELECT count(*), count(*) FILTER (WHERE e.hi >= sse_log_below(s))
        FROM sse_log_events e JOIN sse_logs s ON s.log = e.log";
    let (mut most, mut most_delayed) = (0, 0);
    while publishers.iter().any(|publisher| !publisher.is_finished()) {
        let row = client.query_one(count, &[]).await.expect("counted");
        let (kept, delayed): (i64, i64) = (row.get(0), row.get(1));
        (most, most_delayed) = (most.max(kept), most_delayed.max(delayed));
    }
    for publisher in publishers {
        publisher.await.expect("each was stored");
    }
    let allowed = 4000 + most_delayed;
    assert!((2000..=allowed).contains(&most), "{most} events of 25 600, {most_delayed} delayed");
}

/// Its limit is lower than it was: it comes down with what is appended, and no append does all of that.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_to_a_log_far_over_its_limit_drops_a_part() {
    let postgres = Postgres::start().await;
    let shared = postgres.shared(EngineOptions::default()).await;
    let large = StoreOptions::new().events(1_000_000);
    let store = shared.store("log", large).await.expect("a name");
    let events: Vec<_> = (0..1000).map(event).collect();
    for _ in 0..20 {
        store.append(&events).await.expect("stored");
    }
    let small = StoreOptions::new().events(100);
    let store = shared.store("log", small).await.expect("a name");
    let client = client(&postgres).await;
    let count = "SELECT count(*) FROM sse_log_events";
    let mut before = 20_000;
    while before > 200 {
        store.append(&[event("one more")]).await.expect("stored");
        let kept: i64 = client.query_one(count, &[]).await.expect("counted").get(0);
        assert!((1..=2000).contains(&(before + 1 - kept)), "{kept} of {before}");
        before = kept;
    }
}
