//! What is let go of, and what it leaves.

use std::sync::Arc;

use serde_json::json;
use sse_conformance::stores::Nats;
use sse_core::StoreOptions;
use sse_core::store::Store;

use crate::relay::{Fate, Relay};
use crate::tools::{api, append, bounds, event, flood, messages, open, open_at, texts};

/// Not only hidden from readers.
#[tokio::test]
async fn the_server_has_no_more_messages_than_the_log_keeps() {
    let nats = Nats::start().await;
    let (store, other) = (open(&nats).await, open(&nats).await);
    for number in 0..100 {
        append(&store, &[event(number)]).await;
    }
    let retention = StoreOptions { events: 10, ..Default::default() }.retention();
    let both = futures_util::future::join(store.retain(&retention), other.retain(&retention));
    let (one, another) = both.await;
    one.and(another).expect("retained, by two at a time");
    assert_eq!(messages(&nats), 10);
    assert_eq!(texts(&other).await.len(), 10);
}

/// It raises the floor before it removes them: whoever is told of the old floor has read what was there.
#[tokio::test]
async fn a_process_that_dies_between_the_floor_and_the_removal_leaves_that_to_another() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    for number in 0..10 {
        append(&store, &[event(number)]).await;
    }
    // As the record is once the floor was raised.
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
        append(&store, &[event(number)]).await;
    }
    let (server, mut is_other) = (Arc::clone(&nats), false);
    relay.asked(move |asked| {
        if !is_other && asked.starts_with("$JS.API.CONSUMER.CREATE.") {
            is_other = true;
            let before = api(&server, "STREAM.INFO.SSE_log", json!({}));
            api(&server, "STREAM.DELETE.SSE_log", json!({}));
            let info = api(&server, "STREAM.CREATE.SSE_log", before["config"].clone());
            for _ in 0..10 {
                server.publish("sse.log.e", &[], b"data: new\n").expect("an answer");
            }
            let record = json!({
                "epoch": "another", "created": info["created"], "floor": [0, 0], "deletions": 0,
            });
            server.publish("sse-meta.log", &[], record.to_string().as_bytes()).expect("an answer");
        }
        Fate::Passes
    });
    let retention = StoreOptions { events: 1, ..Default::default() }.retention();
    store.retain(&retention).await.expect("nothing to do");
    assert_eq!(bounds(&other).await.epoch.to_string(), "another");
    assert_eq!(texts(&other).await, ["new"; 10]);
}

/// Else a log that grows faster than it is trimmed within the time of a call never is.
#[tokio::test]
async fn much_is_dropped_step_by_step() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    flood(&nats, "sse.log.e", "data: x\n", 60_000).await;
    let retention = StoreOptions { events: 1, ..Default::default() }.retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(messages(&nats), 1);
}

/// Though there is something after it.
#[tokio::test]
async fn the_newest_event_is_kept() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append(&store, &[event("old")]).await;
    append(&store, &[event("newest")]).await;
    nats.publish("sse.log.other", &[], b"x").expect("an answer");
    let retention = StoreOptions { events: 1, ..Default::default() }.retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(texts(&store).await, ["newest"]);
}

#[tokio::test]
async fn a_subject_that_says_nonsense_does_no_harm() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append(&store, &[event("one")]).await;
    for events in [u64::MAX, u64::MAX - 1, 1 << 63] {
        let subject = format!("sse.log.m.batch.{events}");
        nats.publish(&subject, &[], b"x").expect("an answer");
    }
    append(&store, &[event("two")]).await;
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    assert_eq!(texts(&store).await, ["one", "two"]);
    let before_two = store.before_last(1).await.expect("a position");
    let page = store.read(before_two, crate::tools::PAGE).await.expect("a page");
    assert_eq!(page.events.len(), 1);
}
