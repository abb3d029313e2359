//! A log to which others append all the time: first visits, and pages that poll, get on.

use std::time::Duration;

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::{EventLog, OnGap, Start};
use sse_test_kit::wire::{End, Request};
use tokio::task::JoinHandle;

/// A log that keeps a hundred events, and gets a thousand a second, in bursts of ten. An event's data is its number.
fn busy_log() -> (EventLog, JoinHandle<()>) {
    let log = EventLog::in_memory(100);
    let written = log.clone();
    let busy = tokio::spawn(async move {
        for burst in 0.. {
            for number in 10 * burst..10 * (burst + 1) {
                written.append(number.to_string()).await.expect("a short event is accepted");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    (log, busy)
}

pub(crate) async fn begins_a_first_visit_without_a_gap_however_busy_the_log_is(
    framework: &Framework,
) {
    let (log, busy) = busy_log();
    let (oldest, last) = (Start::Oldest, Start::Last(90));
    let feed = |start: &Start, on_gap| log.feed().start_at(start.clone()).on_gap(on_gap);
    let feeds = [
        ("oldest-reset", feed(&oldest, OnGap::Reset)),
        ("oldest-live", feed(&oldest, OnGap::Live)),
        ("oldest-stop", feed(&oldest, OnGap::Stop)),
        ("last-reset", feed(&last, OnGap::Reset)),
        ("last-live", feed(&last, OnGap::Live)),
        ("last-stop", feed(&last, OnGap::Stop)),
    ];
    let paths = feeds.each_ref().map(|(path, _)| *path);
    let app = feeds.into_iter().fold(App::new(ServerOptions::default()), |app, (path, feed)| {
        app.stream(path, move |_| feed.clone())
    });
    let server = framework.start(app);
    while log.stats().events < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for path in paths.iter().cycle().take(60) {
        let mut response = Request::get(&format!("/{path}")).send(server.address).await;
        assert_eq!(response.status, 200, "{path}");
        let events = response.events(50).await;
        assert!(events.iter().all(|event| event.event_type == "message"), "{path}: {events:?}");
        let number = |at: usize| events[at].data.parse::<usize>().expect("a number");
        assert_eq!(number(49), number(0) + 49, "{path}: some are missing");
    }
    busy.abort();
}

pub(crate) async fn lets_a_page_poll_however_busy_the_log_is(framework: &Framework) {
    let (log, busy) = busy_log();
    let polled = log.clone();
    let app = App::new(ServerOptions::default())
        .stream("polled", move |_| polled.feed().start_at(Start::Last(1)).ends_when_caught_up());
    let server = framework.start(app);
    let (mut last, mut seen) = (String::new(), None);
    for _ in 0..20 {
        let request = Request::get("/polled").header("Last-Event-ID", &last);
        let mut response = request.send(server.address).await;
        while let Ok(event) = response.event_or_end().await {
            let number = event.data.parse::<usize>().expect("a number, and no reset");
            assert!(seen.is_none_or(|seen| number == seen + 1), "{number} after {seen:?}");
            (last, seen) = (event.last_event_id, Some(number));
        }
        assert_eq!(response.end().await, End::Clean);
    }
    assert!(seen.is_some(), "it has got something");
    busy.abort();
}
