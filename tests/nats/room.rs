//! What is let go of, and what it leaves.

use sse_conformance::stores::Nats;
use sse_core::LogOptions;
use sse_core::store::Store;

use crate::tools::{append, bounds, event, messages, open, texts};

/// Not only hidden from readers.
#[tokio::test]
async fn the_server_has_no_more_messages_than_the_log_keeps() {
    let nats = Nats::start().await;
    let (store, other) = (open(&nats).await, open(&nats).await);
    for number in 0..100 {
        append(&store, &[event(number)]).await;
    }
    let retention = LogOptions { events: 10, ..Default::default() }.retention();
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
        crate::tools::api(&nats, "STREAM.INFO.SSE_log", serde_json::json!({}))["created"],
    );
    nats.publish("sse-meta.log", &[], record.as_bytes()).expect("an answer");
    assert_eq!(texts(&store).await, ["4", "5", "6", "7", "8", "9"]);
    assert_eq!(messages(&nats), 10);
    let keeps_all = LogOptions::for_store().retention();
    store.retain(&keeps_all).await.expect("retained");
    assert_eq!(messages(&nats), 6);
}
