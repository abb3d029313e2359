//! Lines that are slow.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sse_conformance::engines::Nats;
use sse_core::store::{PageLimit, Store};
use sse_core::{Position, StoreOptions};
use sse_log_nats::EngineOptions;
use sse_test_kit::engines::EngineServer;
use sse_test_kit::lines::SlowLine;

use crate::relay::Relay;
use crate::tools::{append_all, at, event, flood, messages, open, open_at, soon, store};

const ALL: PageLimit = PageLimit { events: 1000, bytes: 16 << 20 };

/// The line has 20 kB a second: the data come before the server, or this process, takes the line for dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_and_pages_get_on_over_a_slow_line() {
    let nats = Nats::start().await;
    let near = open(&nats).await;
    for _ in 0..20 {
        append_all(&near, &[event("x".repeat(10_000))]).await;
    }
    let line = SlowLine::with_rate(nats.address(), 20_000).await;
    let url = at(&line);
    let far = store(&url, EngineOptions::default(), StoreOptions::default()).await;
    let mut after = Position::START;
    let mut came = 0;
    let mut pages = soon(far.follow(after)).await.expect("followed");
    let follow = async {
        while came < 20 {
            match pages.next().await {
                Some(Ok(page)) => {
                    came += page.events.len();
                    after = page.events.last().map_or(after, |event| event.position);
                }
                // The log does the same.
                _ => pages = far.follow(after).await.expect("followed"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), follow).await.expect("they come");
    let read = async {
        let (mut after, mut came) = (Position::START, 0);
        while came < 20 {
            let call =
                tokio::time::timeout(StoreOptions::default().store_timeout, far.read(after, ALL));
            let Ok(Ok(page)) = call.await else { continue };
            came += page.events.len();
            after = page.events.last().map_or(after, |event| event.position);
        }
    };
    tokio::time::timeout(Duration::from_secs(90), read).await.expect("they come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_page_of_one_log_holds_up_no_other() {
    let nats = Nats::start().await;
    let near = open(&nats).await;
    for _ in 0..16 {
        append_all(&near, &[event("x".repeat(1_000_000))]).await;
    }
    let line = SlowLine::with_rate(nats.address(), 1_000_000).await;
    let engine = sse_log_nats::connect(&at(&line), EngineOptions::default()).await.expect("a URL");
    let options = StoreOptions::new().store_timeout(Duration::from_secs(20));
    let large = engine.store("log", options.clone()).await.expect("a name");
    let small = engine.store("small", options).await.expect("a name");
    append_all(&small, &[event(0)]).await;
    let mut pages = small.follow(Position::START).await.expect("followed");
    let reading = tokio::spawn(async move {
        let mut after = Position::START;
        loop {
            let page = large.read(after, ALL).await.expect("a page");
            let Some(last) = page.events.last() else { return };
            after = last.position;
        }
    });
    let mut slowest = Duration::ZERO;
    let mut came = 0;
    for number in 1..100 {
        let begun = Instant::now();
        append_all(&small, &[event(number)]).await;
        while came <= number {
            came += soon(pages.next()).await.expect("a page").expect("a page").events.len();
        }
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!reading.is_finished(), "it is slow");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    reading.abort();
}

/// Most passes of a log with an age are such: what they ask for must not hold up the pages of readers over a slow line.
#[tokio::test]
async fn a_pass_that_finds_no_event_too_old_gets_no_more_than_the_headers_of_the_oldest() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    append_all(&store, &[event("x".repeat(100_000))]).await;
    flood(&nats, "sse.log.e", "data: x\n", 1000).await;
    append_all(&store, &[event("x".repeat(100_000))]).await;
    let retention = StoreOptions::new().age(Duration::from_secs(3600)).retention();
    // The first also looks up the oldest event.
    store.retain(&retention).await.expect("nothing to do");
    let before = relay.carried().0;
    store.retain(&retention).await.expect("nothing to do").expect("the oldest will be too old");
    let bytes = relay.carried().0 - before;
    assert!(bytes < 10_000, "{bytes} bytes");
}

/// The headers of all that is too much take the line longer than a call may.
#[tokio::test]
async fn much_is_dropped_over_a_slow_line_too() {
    let nats = Nats::start().await;
    let near = open(&nats).await;
    flood(&nats, "sse.log.e", "data: x\n", 700).await;
    // With a batch, the events of the messages have to be counted.
    append_all(&near, &[event(1), event(2)]).await;
    let line = SlowLine::with_rate(nats.address(), 20_000).await;
    let far = store(&at(&line), EngineOptions::default(), StoreOptions::default()).await;
    let retention = StoreOptions::new().events(100).retention();
    far.retain(&retention).await.expect("retained");
    assert_eq!(messages(&nats), 99);
}
