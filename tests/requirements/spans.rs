//! The span of a stream, as a subscriber of the application's own sees it.

use std::sync::LazyLock;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{EventLog, Start, merge};
use sse_test_kit::eventually::eventually;
use sse_test_kit::spans::{Fields, Spans};
use sse_test_kit::wire::{End, PATIENCE, Request};

/// The one subscriber of this process. Other tests have streams, too, in no log of such a name.
static SPANS: LazyLock<Spans> = LazyLock::new(|| {
    let spans = Spans::of_logs("spans-");
    tracing::subscriber::set_global_default(spans.clone()).expect("no other test sets one");
    spans
});

pub(crate) async fn has_a_span_for_each_stream(framework: &Framework) {
    let spans = &*SPANS;
    let name = format!("spans-{}", framework.name);
    let log = EventLog::in_memory(10);
    let member = log.topics(["room/1", "room/2"]).expect("two topics");
    let feed = merge([(&name, member)]).expect("one log").start_at(Start::Oldest);
    let app = App::new(ServerOptions::default()).stream("events", move |_| feed.clone());
    let server = framework.start(app);
    log.append_all(["one", "two"]).await.expect("in memory");
    let mut response = Request::get("/events").send(server.address).await;
    response.events(2).await;
    log.append("three").await.expect("in memory");
    response.events(1).await;
    log.finish().await.expect("in memory");
    assert_eq!(response.end().await, End::Clean);
    let own = || spans.closed().into_iter().find(|span| span["log"] == name);
    eventually(PATIENCE, "the span is closed", || own().is_some()).await;
    let expected = [
        ("delivered", "3"),
        ("end", "finished"),
        ("log", name.as_str()),
        ("replayed", "2"),
        ("start", "oldest"),
        ("topics", "2"),
    ];
    let expected: Fields = expected.map(|(name, value)| (name, value.to_owned())).into();
    assert_eq!(own(), Some(expected));
}
