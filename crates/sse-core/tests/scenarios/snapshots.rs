//! The application's own events in place of those that were lost.

use std::time::Duration;

use sse_core::{BoxError, Frames, Replay};
use sse_core::{
    Event, EventId, EventLog, Feed, LogOptions, OnGap, Snapshot, Source, async_trait, merge,
};

use tokio::time::Instant;

use crate::support::client::Client;
use crate::support::clock;
use crate::support::report::Reports;
use crate::support::script::{Script, event, numbers};

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

/// A log that has lost its first events, and whose state takes a second to gather.
fn feed(log: &EventLog) -> Feed {
    let head = log.clone();
    log.feed().on_gap(OnGap::snapshot(move |_| {
        let at = head.stats().newest;
        async move {
            clock::pass(1000).await;
            Ok(Snapshot::new(["half", "whole"], at))
        }
    }))
}

async fn three_to_seven() -> EventLog {
    let log = EventLog::in_memory(5);
    append(&log, 1..=7).await;
    log
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_lost_events_gets_the_state_and_then_what_came_after_it() {
    let log = three_to_seven().await;
    let mut client = Client::resume(feed(&log), "nonsense");
    client.read_until(1).await;
    assert_eq!(client.last_event_id(), "", "the reset moves nobody");
    assert!(client.chunk_now().await.is_pending(), "the state is being gathered");
    append(&log, 8..=9).await;
    client.read_until(5).await;
    let events = client.events();
    assert_eq!(events[1..], ["half", "whole", "8", "9"]);
    let parsed = client.parsed();
    assert_eq!(parsed[0].event_type, "reset");
    assert_eq!(parsed[1].last_event_id, "");
    assert!(parsed[2].last_event_id.ends_with(".7"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_off_inside_begins_again() {
    let log = three_to_seven().await;
    let mut client = Client::resume(feed(&log), "nonsense");
    client.read_until(1).await;
    drop(client);
    assert_eq!(log.stats().open_streams, 0);
    let mut again = Client::resume(feed(&log), "nonsense");
    assert_eq!(again.read_until(3).await[1..], ["half", "whole"]);
    append(&log, [8]).await;
    let mut resumed = Client::resume(feed(&log), again.last_event_id());
    assert_eq!(resumed.read_all().await, numbers([8]), "with the last it has the whole of it");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_gets_the_whole_of_it() {
    let log = three_to_seven().await;
    let mut client = Client::resume(feed(&log).ends_when_caught_up(), "nonsense");
    assert_eq!(client.read_to_end().await[1..], ["half", "whole"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_fails_or_leads_nowhere_ends_the_response() {
    let log = three_to_seven().await;
    let failing = |_| async { Err("the database is away".into()) };
    let nowhere = |_| async {
        let at = EventId::from_static("nonsense");
        Ok(Snapshot::new(["lost"], at))
    };
    let reports = [Reports::default(), Reports::default()];
    let feeds = [OnGap::snapshot(failing), OnGap::snapshot(nowhere)];
    for (reports, on_gap) in reports.iter().zip(feeds) {
        let mut client = Client::resume(reports.of(log.feed().on_gap(on_gap)), "nonsense");
        assert_eq!(client.read_to_end().await.len(), 1, "the reset, and no half of a state");
        assert_eq!(client.last_event_id(), "");
    }
    assert!(reports[0].only().is_source());
    assert!(reports[1].only().is_gap());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_never_made_ends_the_response_after_30_s() {
    let log = three_to_seven().await;
    let merged = merge([("a", &log)]).expect("a name");
    for feed in [log.feed(), merged, Feed::from(Young(Script::holding(1..=7)))] {
        let reports = Reports::default();
        let never = |_| std::future::pending::<Result<Snapshot, BoxError>>();
        let feed = feed.on_gap(OnGap::snapshot(never)).keep_alive(Duration::from_secs(4));
        let begun = Instant::now();
        let mut client = Client::resume(reports.of(feed), "nonsense");
        client.read_to_end().await;
        assert!((29..=31).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        assert_eq!(client.parsed()[0].event_type, "reset");
        assert_eq!(client.last_event_id(), "", "it comes back to the same gap");
        let error = reports.only();
        assert!(error.is_source(), "{error}");
        let source = std::error::Error::source(&error).expect("what was wrong").to_string();
        assert_eq!(source, "it was not made within 30s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_no_events_is_an_event_that_says_so_and_carries_the_position() {
    let log = three_to_seven().await;
    let head = log.clone();
    let feed = || {
        let head = head.clone();
        log.feed().on_gap(OnGap::snapshot(move |_| {
            let at = head.stats().newest;
            async { Ok(Snapshot::new([""; 0], at)) }
        }))
    };
    let mut client = Client::resume(feed(), "nonsense");
    client.read_until(2).await;
    let snapshot = &client.parsed()[1];
    assert_eq!((snapshot.event_type.as_str(), snapshot.data.as_str()), ("snapshot", ""));
    assert!(snapshot.last_event_id.ends_with(".7"));
    append(&log, [8]).await;
    let mut resumed = Client::resume(feed(), client.last_event_id());
    assert_eq!(resumed.read_all().await, numbers([8]));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_with_an_event_that_the_log_would_refuse_ends_the_response() {
    let log = EventLog::in_memory(LogOptions::from(5).largest_event(1000));
    append(&log, 1..=7).await;
    for (size, is_too_large) in [(900, false), (1100, true)] {
        for feed in [log.feed(), merge([("a", &log)]).expect("a name")] {
            let (reports, head) = (Reports::default(), log.clone());
            let feed = feed.on_gap(OnGap::snapshot(move |_| {
                let at = head.stats().newest;
                let events = ["small".to_owned(), "x".repeat(size)];
                async { Ok(Snapshot::new(events, at)) }
            }));
            let mut client = Client::resume(reports.of(feed), "nonsense");
            client.read_all().await;
            assert_eq!(client.parsed()[0].event_type, "reset");
            assert_eq!(client.is_over(), is_too_large, "{size}");
            if is_too_large {
                assert_eq!(client.events().len(), 1, "no half of a state");
                assert!(reports.only().is_too_large());
            } else {
                assert_eq!(client.events().len(), 3);
            }
        }
    }
}

/// Knows the ids from 5 on.
struct Young(Script);

#[async_trait]
impl Source for Young {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        match last_event_id.as_str().parse::<u64>() {
            Ok(5..) => self.0.fetch(last_event_id).await,
            _ => Ok(Replay::Gap),
        }
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        self.0.stream().await
    }
}

fn snapshot_at(id: &'static str) -> OnGap {
    OnGap::snapshot(move |_| async move {
        clock::pass(1000).await;
        let at = EventId::from_static(id);
        Ok(Snapshot::new([event(99), event(100)], at))
    })
}

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_for_what_came_after_the_state() {
    let script = Script::holding(1..=7);
    let feed = Feed::from(Young(script.clone())).on_gap(snapshot_at("5"));
    let mut client = Client::resume(feed, "2");
    client.read_until(1).await;
    script.publish(8);
    tokio::time::timeout(Duration::from_secs(10), client.read_until(6)).await.expect("it goes on");
    script.publish(9);
    let events = client.read_all().await;
    assert_eq!(events[1..3], [event(99), event(100)].map(|event| event.data.expect("data")));
    assert_eq!(events[3..], numbers(6..=9));
    assert_eq!(client.last_event_id(), "9");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_know_the_state_either_ends_the_response() {
    let reports = Reports::default();
    let feed = Feed::from(Young(Script::holding(1..=7))).on_gap(snapshot_at("3"));
    let mut client = Client::resume(reports.of(feed), "2");
    assert_eq!(client.read_to_end().await.len(), 3);
    assert!(reports.only().is_gap());
}
