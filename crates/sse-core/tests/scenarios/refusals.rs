//! A log refuses invalid events, and streams that it cannot give, and returns errors that say why.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sse_core::{
    Event, EventLog, Feed, LogOptions, NewEvent, OnGap, Snapshot, Start, StoreOptions,
    StreamRequest, StreamResponse, merge,
};

use crate::finish_with_stores::InTwoSteps;
use crate::support::client::{request, request_after};
use crate::support::clock;
use crate::support::poller::{Poller, append};
use crate::support::scripted_store::{Positions, ScriptedStore};

#[tokio::test(start_paused = true)]
async fn an_event_encoded_for_other_logs_is_refused_if_it_is_too_large() {
    let log = EventLog::in_memory(LogOptions::new().largest_event(10));
    let event = NewEvent::from("x".repeat(1000)).encoded(usize::MAX).expect("it is not too large");
    assert!(log.append(event).await.expect_err("of 1007 bytes").is_too_large());
}

/// A finished log, a gap, a snapshot without events: asked for ever, never a 204.
#[tokio::test(start_paused = true)]
async fn a_snapshot_without_events_moves_its_client() {
    let log = EventLog::in_memory(10);
    append(&log, "1").await;
    log.finish().await.expect("it works");
    let head = log.clone();
    let feed = || {
        let at = head.stats().newest;
        log.feed().on_gap(OnGap::snapshot(move |_| {
            let at = at.clone();
            async { Ok(Snapshot::new([] as [Event; 0], at)) }
        }))
    };
    let mut id = "strange".to_owned();
    for _ in 0..5 {
        let mut client = Poller::new(feed(), Some(&id));
        if client.status == 204 {
            return;
        }
        client.all();
        assert!(client.is_over());
        if !client.id().is_empty() {
            id = client.id();
        }
    }
    panic!("five times 200, and it will be asked again");
}

/// The texts of the errors that a closure of a feed was told of.
type Told = Arc<Mutex<Vec<String>>>;

/// A feed that begins by the times of events, and tells of its errors.
fn since(told: &Told, feed: Feed) -> Feed {
    let told = Arc::clone(told);
    let feed = feed.on_error(move |error| {
        assert!(error.is_times_unsupported());
        told.lock().expect("not poisoned").push(error.to_string());
    });
    feed.start_at(Start::Since(Duration::from_secs(1)))
}

#[tokio::test(start_paused = true)]
async fn a_log_that_keeps_no_times_refuses_each_stream_and_says_what_to_do() {
    let told = Told::default();
    let log = EventLog::in_memory(10);
    append(&log, "1").await;
    let with_times = EventLog::in_memory(LogOptions::new().keeps_times(true));
    let both = merge([("a", &with_times), ("b", &log)]).expect("two names");
    let head = StreamRequest::new("HEAD", None, []);
    for feed in [since(&told, log.feed()), since(&told, both)] {
        for request in [&request(), &request_after(&log.stats().newest), &head] {
            let response = StreamResponse::new(request, feed.clone(), clock::timer());
            assert_eq!(response.status, 500);
            assert_eq!(response.headers.get("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(told.lock().expect("not poisoned").len(), 1);
            let text = told.lock().expect("not poisoned").remove(0);
            assert!(text.contains("in memory keeps no times"), "{text}");
            assert!(text.contains("set `LogOptions::keeps_times`"), "{text}");
        }
    }

    let store = InTwoSteps(ScriptedStore::on(clock::timer(), Positions::Dense));
    let opened = EventLog::open(store, StoreOptions::new(), clock::timer()).await;
    let (log, _follower) = opened.expect("the store is up");
    let feed = since(&told, log.feed()).on_gap(OnGap::Status(410));
    let response = StreamResponse::resolved(&request_after("strange"), feed, clock::timer()).await;
    assert_eq!(response.status, 500);
    let text = told.lock().expect("not poisoned").remove(0);
    assert!(text.contains("the store of the event log"), "{text}");
    assert!(text.contains("keeps no times; begin with another `Start`"), "{text}");
}
