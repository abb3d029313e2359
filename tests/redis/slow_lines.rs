//! Large events over slow lines.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sse_conformance::engines::Redis;
use sse_conformance::suite::store_engine::{Engine, Networked};
use sse_core::StoreOptions;
use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_log_redis::{EngineOptions, connect};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::lines::SlowLine;

use crate::tools::{append, event, open, soon};

/// No answer of more than 54 kB comes in time.
fn impatient() -> StoreOptions {
    StoreOptions::new().store_timeout(Duration::from_secs(1))
}

/// Each takes nearly twice as long as an answer may, and what was known before is that events are small.
#[tokio::test]
async fn a_follower_over_a_slow_line_gets_events_that_have_become_large() {
    let redis = Redis::start().await;
    let writer = open(&redis).await;
    let small: Vec<EncodedEvent> = (0..200).map(event).collect();
    writer.append(&small).await.expect("stored");
    let line = SlowLine::with_rate(redis.address(), 60_000).await;
    let store = redis.open_through(line.address, "log", impatient()).await.expect("a URL");
    let mut after =
        store.read(sse_core::Position::START, crate::tools::PAGE).await.expect("a page");
    let mut last = after.events.pop().expect("some").position;

    let mut large = Vec::new();
    for _ in 0..6 {
        large.push(append(&*writer, "x".repeat(100_000)).await);
    }
    let before = line.passed();
    let mut got = Vec::new();
    let following = async {
        while got.last() != large.last() {
            // A log does the same: after an error it follows from its position.
            let Ok(mut pages) = store.follow(last).await else { continue };
            while let Some(Ok(page)) = pages.next().await {
                got.extend(page.events.iter().map(|e| e.position).filter(|c| large.contains(c)));
                last = page.events.last().map_or(last, |event| event.position);
                if got.last() == large.last() {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), following).await.expect("all of them come");
    assert_eq!(got, large, "each once, in order");
    let bytes = line.passed() - before;
    // The page of several events that does not come in time, and the one that is asked for meanwhile, come beside them.
    assert!(bytes < 1_200_000, "600 000 bytes of events took {bytes}");
}

#[tokio::test]
async fn a_page_for_a_client_comes_over_a_slow_line_in_the_end() {
    let redis = Redis::start().await;
    let writer = open(&redis).await;
    let first = append(&*writer, "x".repeat(100_000)).await;
    append(&*writer, "x".repeat(100_000)).await;
    let line = SlowLine::with_rate(redis.address(), 60_000).await;
    let store = redis.open_through(line.address, "log", impatient()).await.expect("a URL");
    let reading = async {
        loop {
            let page = store.read(sse_core::Position::START, crate::tools::PAGE).await;
            if let Ok(page) = page {
                return page.events[0].position;
            }
        }
    };
    assert_eq!(soon(reading).await, first);
}

/// They go by other connections of the same engine.
#[tokio::test]
async fn a_page_of_16_mib_of_one_log_holds_up_no_append_of_another() {
    let redis = Redis::start().await;
    let large = redis.open("large", StoreOptions::default()).await.expect("a name");
    for _ in 0..16 {
        append(&*large, "x".repeat(1_000_000)).await;
    }
    let line = SlowLine::with_rate(redis.address(), 2_000_000).await;
    let url = format!("redis://{}", line.address);
    let engine = connect(&url, EngineOptions::default()).await.expect("a URL");
    let minute = StoreOptions::new().store_timeout(Duration::from_secs(60));
    let slow = engine.store("large", minute).await.expect("a name");
    let other = engine.store("other", StoreOptions::default()).await.expect("a name");
    append(&other, "first").await;

    let limit = PageLimit { events: 16, bytes: 16 << 20 };
    let reading = tokio::spawn(async move { slow.read(sse_core::Position::START, limit).await });
    let (mut appended, mut longest) = (0, Duration::ZERO);
    while !reading.is_finished() {
        let begun = Instant::now();
        append(&other, appended).await;
        (appended, longest) = (appended + 1, longest.max(begun.elapsed()));
    }
    let page = reading.await.expect("no panic").expect("a page");
    assert_eq!(page.events.len(), 16);
    assert!(longest < Duration::from_secs(2), "{longest:?}: the page takes 8 s");
    assert!(appended > 20, "{appended} appends beside it");
}
