//! The times at which events were stored.

use std::time::{Duration, Instant};

use sse_core::store::Store;
use sse_core::{Start, StoreOptions};
use sse_test_kit::client::Client;
use sse_test_kit::eventually::eventually_some;
use sse_test_kit::waiting::PATIENCE;

use super::process::Process;
use super::tools::{Placed, all_after, append_all, bounds, event, numbers, open, soon, texts};
use crate::suite::store_engine::Engine;

/// The time between events that are appended early and late. An answer may take as long.
const APART: Duration = Duration::from_secs(1);
/// An age within which all are.
const AGES: Duration = Duration::from_secs(3600);

/// An age within which the late events are, if the first of them came then, and no early one. A store may know times to a millisecond.
fn between(late: Instant) -> Duration {
    late.elapsed() + APART - Duration::from_millis(20)
}

async fn since(store: &dyn Store, age: Duration) -> Vec<Placed> {
    let before = soon("there is a position", store.before_since(age)).await.expect("a position");
    all_after(store, before).await
}

/// Waits until what was stored before is so old.
async fn grown_old(store: &dyn Store, age: Duration) {
    eventually_some(PATIENCE, "all are older", async || {
        since(store, age).await.is_empty().then_some(())
    })
    .await;
}

pub async fn finds_what_was_stored_within_a_time(engine: &dyn Engine) {
    let store = open(engine).await;
    assert!(store.keeps_times());
    let empty = soon("there is a position", store.before_since(AGES)).await.expect("a position");
    assert_eq!(empty, bounds(&*store).await.floor, "there is no event yet");

    // Alone, and as a batch.
    let mut positions = append_all(&*store, &[event("alone")]).await;
    positions.extend(append_all(&*store, &(0..30).map(event).collect::<Vec<_>>()).await);
    for age in [AGES, Duration::MAX] {
        assert_eq!(since(&*store, age).await.len(), 31, "all are within {age:?}");
        let before = store.before_since(age).await.expect("a position");
        assert!(before >= bounds(&*store).await.floor && before < positions[0], "{before}");
    }
    store.delete(positions[30]).await.expect("deleted");
    grown_old(&*store, APART).await;
    let late = Instant::now();
    append_all(&*store, &[event("late"), event("later")]).await;
    append_all(&*store, &[event("latest")]).await;
    eventually_some(PATIENCE, "the late ones are found", async || {
        let found = since(&*store, between(late)).await;
        (texts(&found) == ["late", "later", "latest"]).then_some(())
    })
    .await;
    assert_eq!(since(&*store, AGES).await.len(), 33);
    grown_old(&*store, Duration::ZERO).await;
}

/// Each process begins the stream there, also behind what it has in memory.
pub async fn begins_a_first_visit_with_what_was_stored_within_a_time(engine: &dyn Engine) {
    let options = StoreOptions::new().tail_events(10);
    let process = Process::with(engine, options.clone()).await;
    process.append_all(0..1500).await;
    let store = open(engine).await;
    grown_old(&*store, APART).await;
    let late = Instant::now();
    process.append_all(1500..1600).await;
    let other = Process::with(engine, options).await;
    for process in [&process, &other] {
        let open = |age| Client::open(process.log.feed().start_at(Start::Since(age)));
        eventually_some(PATIENCE, "the stream begins with the late ones", async || {
            let mut client = open(between(late));
            let begun = client.read_until(100).await;
            (begun[0] == "1500").then(|| assert_eq!(begun, numbers(1500..1600)))
        })
        .await;
        assert_eq!(open(AGES).read_until(1600).await, numbers(0..1600));
    }
    let mut live = Client::open(other.log.feed().start_at(Start::Since(Duration::ZERO)));
    live.read_for(Duration::from_millis(50)).await;
    process.append("next").await;
    live.read_until(1).await;
    assert_eq!(live.events().last().map(String::as_str), Some("next"));
}
