//! The shared part of the tests.

use std::time::Duration;

use serde_json::{Value, json};
use sse_conformance::engines::Nats;
pub(crate) use sse_conformance::suite::answers::{PAGE, append_all, bounds, soon, texts, told};
pub(crate) use sse_conformance::suite::events::{event, keyed, keyed_once, once};
use sse_core::StoreOptions;
use sse_log_nats::{EngineOptions, NatsStore};
use sse_test_kit::eventually::eventually;
use sse_test_kit::lines::SlowLine;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) async fn open(nats: &Nats) -> NatsStore {
    open_with(nats, StoreOptions::default()).await
}

/// Opened once it is used.
pub(crate) async fn open_with(nats: &Nats, log: StoreOptions) -> NatsStore {
    connect(&url(nats), log).await
}

/// The same, through what stands in between.
pub(crate) async fn open_at(url: &str) -> NatsStore {
    connect(url, StoreOptions::default()).await
}

async fn connect(url: &str, log: StoreOptions) -> NatsStore {
    let store = store(url, EngineOptions::default(), log).await;
    bounds(&store).await;
    store
}

/// A store of an engine of its own, as another process would have. Nothing is asked yet.
pub(crate) async fn store(url: &str, engine: EngineOptions, log: StoreOptions) -> NatsStore {
    let engine = sse_log_nats::connect(url, engine).await.expect("a URL");
    engine.store("log", log).await.expect("a name")
}

pub(crate) fn url(nats: &Nats) -> String {
    use sse_test_kit::engines::EngineServer;
    format!("nats://{}", nats.address())
}

/// Returns the URL of the server by way of this line.
pub(crate) fn at(line: &SlowLine) -> String {
    format!("nats://{}", line.address)
}

/// Returns the number of messages that the server has.
pub(crate) fn messages(nats: &Nats) -> u64 {
    let info = api(nats, "STREAM.INFO.SSE_log", json!({}));
    info["state"]["messages"].as_u64().expect("a number")
}

pub(crate) fn api(nats: &Nats, subject: &str, question: Value) -> Value {
    let answer = nats.api(subject, &question).expect("an answer");
    assert!(answer.get("error").is_none(), "{subject}: {answer}");
    answer
}

/// Publishes many messages, as another program would, and waits until the server has them.
pub(crate) async fn flood(nats: &Nats, subject: &str, payload: &str, times: usize) {
    use sse_test_kit::engines::EngineServer;
    let expected = messages(nats) + times as u64;
    let one = format!("PUB {subject} {}\r\n{payload}\r\n", payload.len());
    let all = format!("CONNECT {{\"verbose\":false}}\r\n{}", one.repeat(times));
    let mut line = TcpStream::connect(nats.address()).await.expect("it runs");
    line.write_all(all.as_bytes()).await.expect("it takes them");
    eventually(Duration::from_secs(20), "it has them", || messages(nats) == expected).await;
}
