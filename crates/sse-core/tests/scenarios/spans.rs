//! The span of each stream, and what is logged within it.

use std::time::Duration;

use sse_core::{
    EventId, EventLog, Feed, FeedOnce, LogOptions, OnGap, Snapshot, Start, StoreOptions,
    StreamContext, merge,
};
use sse_test_kit::spans::{Fields, Spans};
use tracing::Level;

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::{Poller, append};
use crate::support::script::{Fetch, Script};
use crate::support::scripted_store::{Positions, ScriptedStore};

fn collected() -> (Spans, tracing::subscriber::DefaultGuard) {
    let spans = Spans::default();
    (spans.clone(), tracing::subscriber::set_default(spans))
}

/// Returns the span of a client that reads what there is, and leaves.
async fn span_of(spans: &Spans, feed: impl Into<FeedOnce>, id: Option<&str>) -> Fields {
    let mut client = match id {
        Some(id) => Client::resume(feed, id),
        None => Client::open(feed),
    };
    client.read_all().await;
    assert_eq!(spans.open(), 1);
    drop(client);
    assert_eq!(spans.open(), 0);
    spans.closed().pop().expect("there is one")
}

#[tokio::test(start_paused = true)]
async fn a_span_has_the_fields_that_the_page_lists() {
    let (spans, _here) = collected();
    let log = EventLog::in_memory(10);
    append(&log, "one").await;
    let feed = merge([("a", log.topics(["room/1"]).expect("a topic"))]).expect("a name");
    let span = span_of(&spans, feed, None).await;
    let page = include_str!("../../../../docs/metrics.md");
    let (_, section) = page.split_once("\n## Spans\n").expect("a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut listed: Vec<_> = rows.collect();
    listed.sort_unstable();
    assert_eq!(span.keys().copied().collect::<Vec<_>>(), listed);
}

#[tokio::test(start_paused = true)]
async fn a_span_says_where_its_stream_began() {
    let (spans, _here) = collected();
    let log = EventLog::in_memory(LogOptions::new().keeps_times(true));
    let id = append(&log, "one").await;
    append(&log, "two").await;
    let at = EventId::try_from(id.clone()).expect("an id");
    let make = {
        let at = at.clone();
        move |_| {
            let snapshot = Snapshot::new(["state"], at.clone());
            async { Ok(snapshot) }
        }
    };
    for (start, name, replayed) in [
        (Start::Live, "live", "0"),
        (Start::Oldest, "oldest", "2"),
        (Start::Last(1), "last", "1"),
        (Start::Since(Duration::from_secs(60)), "since", "2"),
        (Start::Skip(1), "skip", "1"),
        (Start::After(at), "after", "1"),
        (Start::snapshot(make), "snapshot", "2"),
    ] {
        let span = span_of(&spans, log.feed().start_at(start), None).await;
        assert_eq!((span["start"].as_str(), span["replayed"].as_str()), (name, replayed));
        assert!(!span.contains_key("log"), "a log in memory has no name: {span:?}");
        assert!(!span.contains_key("topics"), "it gets all events: {span:?}");
    }
    let span = span_of(&spans, log.feed(), Some(&id)).await;
    assert_eq!((span["start"].as_str(), span["end"].as_str()), ("resumed", "left"));
    let source = Feed::from(Script::holding(1..=3));
    assert_eq!(span_of(&spans, source, Some("1")).await["replayed"], "2");
}

#[tokio::test(start_paused = true)]
async fn a_span_has_the_name_of_the_log_in_its_store_and_that_of_each_log_of_a_merge() {
    let (spans, _here) = collected();
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let opened = EventLog::open(store, StoreOptions::default(), clock::timer()).await;
    let (log, _follower) = opened.expect("the store is up");
    assert_eq!(span_of(&spans, &log, None).await["log"], "prices");
    let both = merge([("a", &log), ("b", &EventLog::in_memory(1))]).expect("two names");
    assert_eq!(span_of(&spans, both, None).await["log"], "a,b");
}

#[tokio::test(start_paused = true)]
async fn a_response_without_a_stream_has_a_span_with_its_end() {
    let (spans, _here) = collected();
    let log = EventLog::in_memory(10);
    assert_eq!(Poller::new(log.feed().on_gap(OnGap::Stop), Some("nonsense")).status, 204);
    assert_eq!(spans.closed().pop().expect("there is one")["end"], "gap");
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_logs_is_within_its_span_and_no_event_is_logged_at_info() {
    let (spans, _here) = collected();
    let log = EventLog::in_memory(1000);
    let mut client = Client::open(&log);
    for number in 0..100 {
        append(&log, &number.to_string()).await;
        client.read_all().await;
    }
    drop(client);
    assert_eq!(spans.closed()[0]["delivered"], "100");
    let said = spans.said();
    assert!(said.iter().all(|said| said.level > Level::INFO), "{said:?}");

    let failing = Script::holding(1..=3);
    failing.fetch_is(Fetch::Fails);
    Client::resume(Feed::from(failing), "1").read_to_end().await;
    let said = spans.said();
    let warning = said.iter().find(|said| said.level == Level::WARN).expect("it failed");
    assert!(warning.is_within, "{warning:?}");
    let ended = said.iter().rfind(|said| said.text.contains("ended")).expect("it ended");
    assert!(ended.is_within, "{ended:?}");

    let logging = StreamContext::run(|_context| async move {
        tracing::error!(target: "sse_core_application", "of the application");
        Ok(())
    });
    Client::open(logging).read_to_end().await;
    let said = spans.said();
    let of_closure = said.iter().find(|said| said.level == Level::ERROR).expect("it was said");
    assert!(of_closure.is_within, "the closure of a stream runs within its span");
}
