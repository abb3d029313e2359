//! The events that are dropped, and the room that this leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::StoreOptions;
use sse_core::store::{EncodedEvent, PageLimit, Store};
use sse_log_nats::EngineOptions;
use sse_test_kit::engines::EngineServer;
use sse_test_kit::lines::SlowLine;

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{
    api, append_all, at, bounds, event, flood, messages, once, open, open_at, texts, url,
};

/// Not only hidden from readers.
#[tokio::test]
async fn the_server_has_no_more_messages_than_the_log_keeps() {
    let nats = Nats::start().await;
    let (store, other) = (open(&nats).await, open(&nats).await);
    for number in 0..100 {
        append_all(&store, &[event(number)]).await;
    }
    let retention = StoreOptions::new().events(10).retention();
    for _ in 0..30 {
        let both = futures_util::future::join(store.retain(&retention), other.retain(&retention));
        let (one, another) = both.await;
        one.and(another).expect("retained, by two at a time");
        assert_eq!(messages(&nats), 10);
        flood(&nats, "sse.log.e", "data: x\n", 20).await;
    }
    store.retain(&retention).await.expect("retained");
    assert_eq!(texts(&other).await.len(), 10);
}

/// It raises the floor before it removes them: a reader with the old floor has read the events that were there.
#[tokio::test]
async fn a_process_that_dies_between_the_floor_and_the_removal_leaves_that_to_another() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    for number in 0..10 {
        append_all(&store, &[event(number)]).await;
    }
    // The record once the floor was raised.
    let record = format!(
        "{{\"epoch\":\"{}\",\"created\":{},\"floor\":[4,0],\"deletions\":0}}",
        bounds(&store).await.epoch,
        api(&nats, "STREAM.INFO.SSE_log", json!({}))["created"],
    );
    nats.publish("sse-meta.log", &[], record.as_bytes()).expect("an answer");
    assert_eq!(texts(&store).await, ["4", "5", "6", "7", "8", "9"]);
    assert_eq!(messages(&nats), 10);
    let keeps_all = StoreOptions::default().retention();
    store.retain(&keeps_all).await.expect("retained");
    assert_eq!(messages(&nats), 6);
}

/// Its messages have the same numbers, and are other ones.
#[tokio::test]
async fn a_stream_that_comes_in_the_place_of_another_is_not_trimmed_for_it() {
    let nats = Arc::new(Nats::start().await);
    let relay = Relay::start(&nats).await;
    let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
    for number in 0..10 {
        append_all(&store, &[event(number)]).await;
    }
    let (server, mut is_other) = (Arc::clone(&nats), false);
    relay.asked(move |asked| {
        if !is_other && asked.starts_with("sse-meta.") {
            is_other = true;
            let before = api(&server, "STREAM.INFO.SSE_log", json!({}));
            api(&server, "STREAM.DELETE.SSE_log", json!({}));
            let info = api(&server, "STREAM.CREATE.SSE_log", before["config"].clone());
            for _ in 0..5 {
                server.publish("sse.log.e", &[], b"data: new\n").expect("an answer");
            }
            let record = json!({
                "epoch": "another", "created": info["created"], "floor": [0, 0], "deletions": 0,
            });
            server.publish("sse-meta.log", &[], record.to_string().as_bytes()).expect("an answer");
        }
        Fate::Passes
    });
    let retention = StoreOptions::new().events(5).retention();
    store.retain(&retention).await.expect("nothing to do");
    assert_eq!(bounds(&other).await.epoch.to_string(), "another");
    assert_eq!(texts(&other).await, ["new"; 5]);
}

/// Else a log that grows faster than it is trimmed within the time of a call never is.
#[tokio::test]
async fn much_is_dropped_step_by_step() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    flood(&nats, "sse.log.e", "data: x\n", 60_000).await;
    let retention = StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(messages(&nats), 1);
}

/// Though there is something after it.
#[tokio::test]
async fn the_newest_event_is_kept() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("old")]).await;
    append_all(&store, &[event("newest")]).await;
    nats.publish("sse.log.other", &[], b"x").expect("an answer");
    let retention = StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(texts(&store).await, ["newest"]);
}

#[tokio::test]
async fn a_subject_that_says_nonsense_does_no_harm() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("one")]).await;
    for events in [u64::MAX, u64::MAX - 1, 1 << 63] {
        let subject = format!("sse.log.m.batch.{events}");
        nats.publish(&subject, &[], b"x").expect("an answer");
    }
    append_all(&store, &[event("two")]).await;
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    assert_eq!(texts(&store).await, ["one", "two"]);
    let before_two = store.before_last(PageLimit::of_events(1)).await.expect("a position");
    let page = store.read(before_two, crate::tools::PAGE).await.expect("a page");
    assert_eq!(page.events.len(), 1);
}

/// At the rate of the benchmark, by the appends alone: nothing else calls `retain` here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_has_at_no_moment_more_than_twice_its_limit_and_a_thousand() {
    let nats = Nats::start().await;
    never_more(&nats, &url(&nats), 40_000, |n| vec![event(n)]).await;
    never_more(&nats, &url(&nats), 4_000, |n| (0..10).map(|m| event(n + m)).collect()).await;
    never_more(&nats, &url(&nats), 4_000, |n| vec![once(format!("a{n}"), n), event(n)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_holds_over_a_line_of_100_ms_too() {
    let nats = Nats::start().await;
    let line = SlowLine::with_delay(nats.address(), Duration::from_millis(50)).await;
    never_more(&nats, &at(&line), 6_000, |n| vec![event(n)]).await;
    never_more(&nats, &at(&line), 1_500, |n| vec![event(n), event(n), event(n)]).await;
}

/// Appends so often, by 256 at a time, and counts all the while.
async fn never_more(nats: &Nats, url: &str, times: usize, events: fn(usize) -> Vec<EncodedEvent>) {
    let limit = 1000;
    let options = StoreOptions::new().events(limit);
    let store = crate::tools::store(url, EngineOptions::default(), options.clone()).await;
    bounds(&store).await;
    let appending = async {
        stream::iter(0..times)
            .map(|n| {
                let store = &store;
                async move { store.append(&events(n)).await.expect("stored") }
            })
            .buffer_unordered(256)
            .for_each(|_| async {})
            .await;
    };
    let is_over = AtomicBool::new(false);
    let counting = async {
        let mut most = 0;
        while !is_over.load(SeqCst) {
            let question = json!({ "subjects_filter": "sse.log.m.>" });
            let state = api(nats, "STREAM.INFO.SSE_log", question)["state"].clone();
            let mut count = state["messages"].as_u64().expect("a number");
            for (subject, messages) in state["subjects"].as_object().into_iter().flatten() {
                let messages = messages.as_u64().expect("a number");
                let events = subject.strip_prefix("sse.log.m.batch.");
                // They are counted a moment after all messages were.
                count = count.saturating_sub(messages);
                count += messages * events.map_or(0, |events| events.parse().expect("a number"));
            }
            most = most.max(count);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        most
    };
    let appending = async {
        appending.await;
        is_over.store(true, SeqCst);
    };
    let (most, ()) = tokio::join!(counting, appending);
    assert!(most <= 2 * limit as u64 + 1000, "{most}");
    store.retain(&options.retention()).await.expect("retained");
    assert_eq!(texts(&store).await.len(), limit);
}

/// A log that has grown far over its limits, by others, and is far away: each step raises the floor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_is_dropped_over_a_long_line_though_the_time_of_a_call_is_short() {
    let nats = Nats::start().await;
    let line = SlowLine::with_delay(nats.address(), Duration::from_millis(50)).await;
    let store = open(&nats).await;
    append_all(&store, &[event("a batch"), event("is not plain")]).await;
    flood(&nats, "sse.log.e", "data: x\n", 30_000).await;
    let options = StoreOptions::new().events(1000).store_timeout(Duration::from_secs(2));
    let far = crate::tools::store(&at(&line), EngineOptions::default(), options.clone()).await;
    let retention = options.retention();
    for _ in 0..30 {
        _ = tokio::time::timeout(options.store_timeout, far.retain(&retention)).await;
        if messages(&nats) == 1000 {
            return;
        }
    }
    panic!("{} are left", messages(&nats));
}

/// The event has none of these limits, whatever its age is by a clock that was ahead for a moment.
#[tokio::test]
async fn nothing_is_dropped_by_the_clock_of_this_machine() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("one")]).await;
    append_all(&store, &[event("two")]).await;
    let ages = |age| StoreOptions::new().age(age).retention();
    store.retain(&ages(Duration::from_secs(60))).await.expect("retained");
    assert_eq!(texts(&store).await, ["one", "two"]);
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.retain(&ages(Duration::from_millis(10))).await.expect("retained");
    assert_eq!(texts(&store).await, ["two"], "the newest is kept");
}
