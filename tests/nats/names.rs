//! The name of a log, and the texts about it.

use sse_conformance::engines::Nats;
use sse_log_nats::{EngineOptions, NatsStore, StoreOptions};
use sse_test_kit::engines::EngineServer;

use crate::tools::{api, append_all, bounds, event, store, texts};

async fn open(nats: &Nats, prefix: &str) -> NatsStore {
    let options = EngineOptions::new().prefix(prefix);
    let url = format!("nats://{}", nats.address());
    store(&url, options, StoreOptions::default()).await
}

#[tokio::test]
async fn two_prefixes_are_two_logs_of_one_name() {
    let nats = Nats::start().await;
    let (one, two) = (open(&nats, "one").await, open(&nats, "two").await);
    append_all(&one, &[event("of one")]).await;
    append_all(&two, &[event("of two")]).await;
    assert_eq!(texts(&one).await, ["of one"]);
    assert_eq!(texts(&two).await, ["of two"]);
    assert_ne!(bounds(&one).await.epoch, bounds(&two).await.epoch);
    let streams = api(&nats, "STREAM.NAMES", serde_json::json!({}));
    let streams = streams["streams"].as_array().expect("a list");
    for stream in ["ONE_log", "ONE-META", "TWO_log", "TWO-META"] {
        assert!(streams.iter().any(|name| name == stream), "{stream} of {streams:?}");
    }
    assert_eq!(streams.len(), 4);
}

/// A log message must not have a password.
#[tokio::test]
async fn a_store_prints_the_name_of_its_log_and_no_more() {
    let url = "nats://user:secret@127.0.0.1:4222";
    let engine = sse_log_nats::connect(url, EngineOptions::default()).await.expect("a URL");
    assert_eq!(format!("{engine:?}"), "Engine(sse)");
    let store = engine.store("prices", StoreOptions::default()).await.expect("a name");
    assert_eq!(format!("{store:?}"), "NatsStore(prices)");
}
