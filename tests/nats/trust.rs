//! The answers that are checked, and the messages that are not left behind.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::store::Store;
use sse_core::{Position, StoreOptions};
use sse_log_nats::EngineOptions;
use sse_test_kit::eventually::{eventually, settled};
use tokio::time::timeout;

use crate::reading::count;
use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{PAGE, api, append_all, bounds, event, keyed, open, open_at, soon, told};

/// A consumer of nats-server 2.9 passes over messages like this when others are purged by their subject: its own numbers go on.
#[tokio::test]
async fn a_message_that_a_consumer_passes_over_is_noticed() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    for number in 0..20 {
        append_all(&store, &[event(number)]).await;
    }
    let mut pages = store.follow(Position::START).await.expect("followed");
    drop(pages.next().await);
    for skipped in [1, 7, 19] {
        relay.skips(skipped);
        let page = store.read(Position::START, PAGE).await;
        assert!(page.is_err(), "{page:?}");
        let mut pages = store.follow(Position::START).await.expect("followed");
        let mut came = 0;
        let error = loop {
            match soon(pages.next()).await.expect("a page or an error") {
                Ok(page) => came += page.events.len(),
                Err(error) => break error,
            }
        };
        assert!(came < skipped as usize && told(&error).contains("skipped"), "{}", told(&error));
    }
}

/// Once is enough: nothing ever comes into a hole.
#[tokio::test]
async fn a_hole_is_looked_into_once() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    for number in 0..40 {
        append_all(
            &store,
            &[keyed(if number % 2 == 0 { "a" } else { "b" }, number), event(number)],
        )
        .await;
        append_all(&store, &[keyed("c", number)]).await;
    }
    store.read(Position::START, PAGE).await.expect("a page");
    let asked = count(&relay, "$JS.API.STREAM.MSG.GET.SSE_log");
    store.read(Position::START, PAGE).await.expect("a page");
    assert_eq!(asked.load(SeqCst), 0);
}

/// The server cuts off a client for which 64 MB are waiting.
#[tokio::test]
async fn a_follower_that_is_slow_has_little_on_its_way() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let large = "x".repeat(300_000);
    for _ in 0..60 {
        append_all(&store, &[event(&large)]).await;
    }
    let before = relay.carried().0;
    let mut pages = store.follow(Position::START).await.expect("followed");
    let mut came = 0;
    while came < 60 {
        settled(Duration::from_millis(300), Duration::from_secs(20), "what comes", || {
            relay.carried().0
        })
        .await;
        let on_their_way = relay.carried().0 - before - came * 300_000;
        assert!(on_their_way < 4 << 20, "{on_their_way}");
        came += soon(pages.next()).await.expect("a page").expect("a page").events.len();
    }
}

/// NATS passes a record on before it stores it: a process that looks at once sees the one before.
#[tokio::test]
async fn a_message_about_a_record_that_is_not_stored_yet_is_not_lost() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
    append_all(&store, &[event(1)]).await;
    let epoch = bounds(&store).await.epoch;
    let mut pages = store.follow(Position::START).await.expect("followed");
    drop(soon(pages.next()).await);

    let get = "$JS.API.STREAM.MSG.GET.SSE-META";
    let before = api(&nats, &get[8..], json!({ "last_by_subj": "sse-meta.log" })).to_string();
    let before: &'static str = before.leak();
    let mut times = 0..3;
    relay.asked(move |subject| match subject == get && times.next().is_some() {
        true => Fate::IsAnswered(before),
        false => Fate::Passes,
    });
    let new = other.begin_epoch(epoch).await.expect("begun");
    let told = async {
        loop {
            let page = pages.next().await.expect("it goes on").expect("a page");
            if page.bounds.epoch == new {
                return;
            }
        }
    };
    timeout(Duration::from_secs(2), told).await.expect("the follower is told");
}

/// A server that is given up on keeps what is to be read for it.
#[tokio::test]
async fn what_is_dropped_halfway_leaves_no_consumer() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    for number in 0..20 {
        append_all(&store, &[event(number)]).await;
    }
    for micros in 0..100 {
        let read = store.read(Position::START, PAGE);
        _ = timeout(Duration::from_micros(micros * 30), read).await;
        let follow = store.follow(Position::START);
        _ = timeout(Duration::from_micros(micros * 30), follow).await;
    }
    let consumers = || {
        let info = crate::tools::api(&nats, "STREAM.INFO.SSE_log", serde_json::json!({}));
        info["state"]["consumer_count"].as_u64().expect("a number")
    };
    // A follower would be remembered for 90 s.
    eventually(Duration::from_secs(20), "they are forgotten", || consumers() == 0).await;
}

#[tokio::test]
async fn a_log_that_is_not_there_is_read_and_followed_as_an_empty_one() {
    let nats = Nats::start().await;
    let url = crate::tools::url(&nats);
    let new = || crate::tools::store(&url, EngineOptions::default(), StoreOptions::default());
    let begun = Instant::now();
    assert_eq!(soon(new().await.read(Position::START, PAGE)).await.expect("a page").events, []);
    for streams in [&["SSE_log"][..], &["SSE-META"], &["SSE_log", "SSE-META"]] {
        let followed = new().await;
        let _pages = soon(followed.follow(Position::START)).await.expect("followed");
        for stream in streams {
            crate::tools::api(&nats, &format!("STREAM.DELETE.{stream}"), serde_json::json!({}));
        }
        assert_eq!(soon(new().await.read(Position::START, PAGE)).await.expect("a page").events, []);
        let mut pages = soon(new().await.follow(Position::START)).await.expect("followed");
        append_all(&followed, &[event("one")]).await;
        let came = async {
            loop {
                if let Some(Ok(page)) = pages.next().await
                    && !page.events.is_empty()
                {
                    return page.events.len();
                }
            }
        };
        assert_eq!(soon(came).await, 1);
        crate::tools::api(&nats, "STREAM.DELETE.SSE_log", serde_json::json!({}));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "nothing waits for a timeout: {:?}",
        begun.elapsed()
    );
}
