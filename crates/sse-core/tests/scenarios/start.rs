//! The position at which a first visit begins.

use sse_core::{Event, EventId, EventLog, Feed, Start};

use crate::support::client::Client;
use crate::support::script::{Script, numbers};

/// A log that keeps five events, and has had seven.
async fn three_to_seven() -> (EventLog, Vec<EventId>) {
    let log = EventLog::in_memory(5);
    let ids = log.append_all((1..=7).map(|n| Event::new(n.to_string()))).await.expect("stored");
    (log, ids)
}

async fn check(log: &EventLog, start: Start, first: u64) {
    let feed = || log.feed().start_at(start.clone());
    let mut client = Client::open(feed());
    assert_eq!(client.read_all().await, numbers(first..=7), "{start:?}");
    if !client.last_event_id().is_empty() {
        let mut again = Client::resume(feed(), client.last_event_id());
        assert_eq!(again.read_all().await, numbers([]), "{start:?}: a return is no first visit");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_can_begin_with_some_history() {
    let (log, ids) = three_to_seven().await;
    check(&log, Start::Live, 8).await;
    check(&log, Start::Oldest, 3).await;
    check(&log, Start::Last(0), 8).await;
    check(&log, Start::Last(2), 6).await;
    check(&log, Start::Last(5), 3).await;
    check(&log, Start::Last(usize::MAX), 3).await;
    check(&log, Start::After(ids[4].clone()), 6).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_no_longer_kept_is_a_gap() {
    let (log, ids) = three_to_seven().await;
    let mut client = Client::open(log.feed().start_at(Start::After(ids[0].clone())));
    let events = client.read_all().await;
    assert_eq!(client.parsed()[0].event_type, "reset");
    assert_eq!(events[1..], numbers(3..=7));
}

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_for_what_came_after_the_start() {
    let script = Script::default();
    for number in 1..=3 {
        script.publish(number);
    }
    let start = Start::After(EventId::from_static("1"));
    let mut client = Client::open(Feed::from(script.clone()).start_at(start));
    assert_eq!(client.read_all().await, numbers(2..=3));
}
