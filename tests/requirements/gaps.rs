//! A client that has lost events: it gets on, however busy the log is and however much there is to make up for it.

use std::time::Duration;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{EventLog, MakeSnapshot, OnGap, Snapshot, Start};
use sse_test_kit::wire::{End, Request, Response};

/// How often a client returns to a busy log.
const RETURNS: usize = 100;

pub(crate) async fn gives_events_along_with_a_reset_however_busy_the_log_is(framework: &Framework) {
    let log = EventLog::in_memory(100);
    let first = log.append("the first").await.expect("a short event is accepted");
    for number in 0..200 {
        log.append(number.to_string()).await.expect("a short event is accepted");
    }
    let events = log.clone();
    let app = App::new(ServerOptions::default()).stream("events", move |_| events.feed());
    let server = framework.start(app);
    // A thousand a second, in bursts of ten.
    let busy = tokio::spawn(async move {
        loop {
            for number in 0..10 {
                log.append(number.to_string()).await.expect("a short event is accepted");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    for _ in 0..RETURNS {
        let request = Request::get("/events").header("Last-Event-ID", first.as_str());
        let mut response = request.send(server.address).await;
        let events = response.events(2).await;
        assert_eq!(events[0].event_type, "reset");
        assert_eq!(events[1].event_type, "message", "a second reset: {}", events[1].data);
        let [reset, event] = [0, 1].map(|nth| chunk_of(&response, nth));
        assert!(event <= reset + 1, "the reset is in chunk {reset}, the first event in {event}");
    }
    busy.abort();
}

/// How many gaps a client meets that reads more slowly than is appended.
const GAPS: usize = 10;

pub(crate) async fn gives_events_after_each_gap_of_a_client_that_falls_behind(
    framework: &Framework,
) {
    let log = EventLog::in_memory(100);
    let events = log.clone();
    let app = App::new(ServerOptions::default()).stream("events", move |_| events.feed());
    let server = framework.start(app);
    let mut response = Request::get("/events").receive_buffer(4096).send(server.address).await;
    // As fast as it can be done, so that there are appends between any two reads of the log.
    let busy = tokio::spawn(async move {
        let large = "x".repeat(8 * 1024);
        loop {
            log.append(large.as_str()).await.expect("a small event is accepted");
            tokio::task::yield_now().await;
        }
    });
    for gap in 0..GAPS {
        while response.next_event().await.event_type != "reset" {}
        let event = response.next_event().await;
        assert_eq!(event.event_type, "message", "two resets in a row, at gap {gap}");
    }
    busy.abort();
}

/// Which chunk has the end of this event.
fn chunk_of(response: &Response, nth: usize) -> usize {
    let mut blanks = response.bytes().windows(2).enumerate().filter(|(_, two)| two == b"\n\n");
    let (at, _) = blanks.nth(nth).expect("it has arrived");
    let mut rest = at + 1;
    let is_before = |size: &&usize| {
        let is_before = rest >= **size;
        rest = rest.saturating_sub(**size);
        is_before
    };
    response.chunks().iter().take_while(is_before).count()
}

/// How many events the snapshot has; 10 MB in all.
const SNAPSHOT: usize = 10_000;

pub(crate) async fn delivers_the_whole_of_a_large_snapshot_and_then_goes_on(framework: &Framework) {
    let log = EventLog::in_memory(10);
    let (events, head) = (log.clone(), log.clone());
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let head = head.clone();
        events.feed().on_gap(OnGap::snapshot(move |_| {
            let at = head.stats().newest;
            let rest = "x".repeat(1000);
            let events = (0..SNAPSHOT).map(move |number| format!("{number}\n{rest}"));
            async { Ok(Snapshot::new(events, at)) }
        }))
    });
    let server = framework.start(app);
    let at = log.append("before").await.expect("a short event is accepted");
    let request = Request::get("/events").header("Last-Event-ID", "nonsense");
    let mut response = request.send(server.address).await;
    let reset = response.next_event().await;
    assert_eq!((reset.event_type.as_str(), reset.last_event_id.as_str()), ("reset", ""));
    for number in 0..SNAPSHOT {
        let event = response.next_event().await;
        assert!(event.data.starts_with(&format!("{number}\n")), "{}", event.data);
        assert_eq!(event.data.len(), number.to_string().len() + 1 + 1000);
        let expected = if number + 1 < SNAPSHOT { "" } else { at.as_str() };
        assert_eq!(event.last_event_id, expected);
    }
    log.append("after").await.expect("a short event is accepted");
    assert_eq!(response.next_event().await.data, "after");
}

pub(crate) async fn begins_a_first_visit_with_the_state_and_then_goes_on(framework: &Framework) {
    let log = EventLog::in_memory(10);
    let (events, head) = (log.clone(), log.clone());
    let app = App::new(ServerOptions::default()).stream("events", move |_| {
        let head = head.clone();
        let make = MakeSnapshot::new(move |_| {
            let at = head.stats().newest;
            async { Ok(Snapshot::new(["half", "whole"], at)) }
        });
        events.feed().start_at(Start::Snapshot(make.clone())).on_gap(OnGap::Snapshot(make))
    });
    let server = framework.start(app);
    let at = log.append("before").await.expect("a short event is accepted");
    let get = async |id: &str| {
        Request::get("/events").header("Last-Event-ID", id).send(server.address).await
    };
    let mut response = get("").await;
    assert_eq!(response.next_event().await.data, "half", "there is no gap to tell of");
    let whole = response.next_event().await;
    assert_eq!((whole.data.as_str(), whole.last_event_id.as_str()), ("whole", at.as_str()));
    drop(response);
    log.append("after").await.expect("a short event is accepted");
    assert_eq!(get(&whole.last_event_id).await.next_event().await.data, "after");
    let mut lost = get("nonsense").await;
    assert_eq!(lost.next_event().await.event_type, "reset");
    assert_eq!(lost.next_event().await.data, "half");
}

pub(crate) async fn answers_a_gap_with_a_status_if_that_is_chosen(framework: &Framework) {
    let log = EventLog::in_memory(3);
    let (by_id, by_number) = (log.clone(), log.clone());
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| by_id.feed().on_gap(OnGap::Status(410)))
        .stream_resolved("counted", move |call| {
            let count = call.query.as_deref().and_then(|query| query.strip_prefix("startIndex="));
            let count = count.and_then(|count| count.parse().ok()).expect("a number");
            by_number.feed().start_at(Start::Skip(count)).on_gap(OnGap::Status(410))
        });
    let server = framework.start(app);
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(log.append(number.to_string()).await.expect("a short event is accepted"));
    }
    let mut counted = Request::get("/counted?startIndex=1").send(server.address).await;
    assert_eq!((counted.status, counted.next_event().await.data.as_str()), (200, "2"));
    let mut resumed =
        Request::get("/events").header("Last-Event-ID", ids[0].as_str()).send(server.address).await;
    assert_eq!(resumed.next_event().await.data, "2");
    let refused = [
        Request::get("/events").header("Last-Event-ID", "nonsense"),
        Request::get("/events?lastEventId=k3b9.1"),
        Request::get("/counted?startIndex=4"),
    ];
    for request in refused {
        let mut response = request.send(server.address).await;
        assert_eq!(response.status, 410);
        assert_eq!(response.end().await, End::Clean);
        assert!(response.bytes().is_empty());
    }
}
