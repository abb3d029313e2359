//! The times of events, of which a first visit gets those within an age.

use std::time::{Duration, Instant};

use sse_conformance::engines::Postgres;
use sse_core::store::Store;

use crate::plans::{asks, pages};
use crate::tools::{PAGE, append, client, event, open, text};

/// Its place is before that of events that are older.
#[tokio::test]
async fn a_first_visit_by_age_gets_a_late_event_of_a_transaction_that_began_early() {
    let postgres = Postgres::start().await;
    let (store, mut early) = (open(&postgres).await, client(&postgres).await);
    append(&store, "before").await;
    let early = early.transaction().await.expect("begun");
    early.execute("SELECT pg_current_xact_id()", &[]).await.expect("it has a low id");
    for n in 0..20 {
        append(&store, n).await;
    }
    let apart = Duration::from_millis(500);
    tokio::time::sleep(apart).await; // the time between the events, which grow old meanwhile
    let late = Instant::now();
    store.append_in(&early, "late").await.expect("appended");
    early.commit().await.expect("committed");
    append(&store, "later").await;
    let before = store.before_since(late.elapsed() + apart / 2).await.expect("a position");
    let page = store.read(before, PAGE).await.expect("a page");
    assert_eq!(text(&page.events[0].block), "late", "it comes before those that are older");
    assert_eq!(page.events.len(), 22);
}

#[tokio::test]
async fn the_place_of_an_age_costs_little_however_many_events_are_on_either_side() {
    let postgres = Postgres::start().await;
    let (store, client) = (open(&postgres).await, asks(&postgres).await);
    let mut costs = Vec::new();
    for batches in [4, 36] {
        for _ in 0..batches {
            let events: Vec<_> = (0..500).map(event).collect();
            store.append(&events).await.expect("stored");
        }
        client.batch_execute("ANALYZE sse_log_events").await.expect("analyzed");
        let times =
            "SELECT extract(epoch FROM stored_at)::float8 FROM sse_log_events ORDER BY hi, lo";
        let times = client.query(times, &[]).await.expect("times");
        let middle: f64 = times[times.len() / 2].get(0);
        costs.push(pages(&client, &format!("EXECUTE since('log', {middle})")).await);
    }
    assert!(costs[1] < costs[0] + 200 && costs[1] < 1000, "{costs:?} pages");
}
