//! The events that are dropped, if others have trimmed, and if events are large.

use sse_conformance::engines::Redis;
use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_core::{Position, StoreOptions};

use crate::tools::{STREAM, append, command, event, keyed, open, open_with, soon};

const ALL: PageLimit = PageLimit { events: usize::MAX, bytes: usize::MAX };

/// Returns the number of events, and of the bytes of their blocks.
async fn kept(store: &dyn Store) -> (usize, usize) {
    let (mut last, mut kept) = (Position::START, (0, 0));
    loop {
        let page = soon(store.read(last, ALL)).await.expect("a page");
        let Some(event) = page.events.last() else { return kept };
        last = event.position;
        let bytes: usize = page.events.iter().map(|event| event.block.len()).sum();
        kept = (kept.0 + page.events.len(), kept.1 + bytes);
    }
}

/// Large ones that come first say nothing of the others.
#[tokio::test]
async fn events_that_others_have_left_are_counted_and_kept_if_they_are_below_the_limit() {
    let redis = Redis::start().await;
    let options = StoreOptions::new().bytes(1_000_000);
    let store = open_with(&redis, options.clone()).await;
    let keyed = |text: String| keyed("key", text);
    for _ in 0..16 {
        append(&*store, "x".repeat(10_000)).await;
    }
    let batch =
        |n: usize| -> Vec<EncodedEvent> { (0..n).map(|n| event(format!("{n:0100}"))).collect() };
    let small = store.append(&batch(1000)).await.expect("stored").positions;
    store.append(&[keyed("y".repeat(5000))]).await.expect("stored");
    store.append(&batch(1000)).await.expect("stored");
    command(&redis, format!("XTRIM {STREAM} MAXLEN 2011")).await;

    // Some of the events that are still to be counted go, and others come.
    store.delete(small[500]).await.expect("deleted");
    store.append(&[keyed("z".repeat(7000))]).await.expect("stored");
    store.append(&batch(100)).await.expect("stored");
    store.retain(&options.retention()).await.expect("nothing is over the limit");
    let (events, bytes) = kept(&*store).await;
    assert_eq!(events, 2110);
    let counted = command(&redis, format!("HGET {STREAM}:meta bytes")).await;
    assert_eq!(counted.lines().nth(1), Some(&*bytes.to_string()));

    // And what goes from here on is reckoned with.
    let tight = options.bytes(200_000);
    store.retain(&tight.retention()).await.expect("retained");
    let (events, bytes) = kept(&*store).await;
    assert!((190_000..=200_000).contains(&bytes), "{events} events of {bytes} bytes");
}

/// It is Redis that has it twice meanwhile.
#[tokio::test]
async fn large_events_are_dropped_a_few_at_a_time() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for _ in 0..80 {
        append(&*store, "x".repeat(1_000_000)).await;
    }
    let memory = async |name: &str| -> usize {
        let info = command(&redis, "INFO memory").await;
        let value = info.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        value.trim_start_matches(':').parse().expect("a number")
    };
    let before = memory("used_memory").await;
    soon(store.before_last(PageLimit::of_events(70))).await.expect("there are 70");
    let options = StoreOptions::new().events(79);
    soon(store.retain(&options.retention())).await.expect("retained");
    let peak = memory("used_memory_peak").await;
    assert!(peak < before + 40_000_000, "{peak} of {before} before");
}
