//! The application's own events in place of those that were lost.

use std::time::Duration;

use sse_core::{BoxError, Frames, Replay};
use sse_core::{
    Event, EventId, EventLog, Feed, LogOptions, MakeSnapshot, OnGap, Snapshot, Source, Start,
    async_trait, merge,
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

/// The two ways to a snapshot: a client that has lost events, which is told so first, and a first visit. Each comes with its last event ID
/// and the number of resets.
fn doors(feed: &Feed, make: &MakeSnapshot) -> [(Feed, &'static str, usize); 2] {
    let after_a_gap = feed.clone().on_gap(OnGap::Snapshot(make.clone()));
    let at_first = feed.clone().start_at(Start::Snapshot(make.clone()));
    [(after_a_gap, "nonsense", 1), (at_first, "", 0)]
}

/// Takes the resets off the events of a client.
#[track_caller]
fn after_resets(client: &Client, resets: usize) -> Vec<String> {
    let parsed = client.parsed();
    assert_eq!(parsed.iter().filter(|event| event.event_type == "reset").count(), resets);
    client.events().split_off(resets)
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
    let failing = MakeSnapshot::new(|_| async { Err("the database is away".into()) });
    let nowhere = MakeSnapshot::new(|_| async {
        let at = EventId::from_static("nonsense");
        Ok(Snapshot::new(["lost"], at))
    });
    for make in [&failing, &nowhere] {
        for (feed, id, resets) in doors(&log.feed(), make) {
            let reports = Reports::default();
            let mut client = Client::resume(reports.of(feed), id);
            client.read_to_end().await;
            assert!(after_resets(&client, resets).is_empty(), "no half of a state");
            assert_eq!(client.last_event_id(), "");
            let error = reports.only();
            assert_eq!((error.is_source(), error.is_gap()), (make == &failing, make == &nowhere));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_never_made_ends_the_response_after_30_s() {
    let log = three_to_seven().await;
    let merged = merge([("a", &log)]).expect("a name");
    let never = MakeSnapshot::new(|_| std::future::pending::<Result<Snapshot, BoxError>>());
    for feed in [log.feed(), merged, Feed::from(Young(Script::holding(1..=7)))] {
        for (feed, id, resets) in doors(&feed, &never) {
            let reports = Reports::default();
            let feed = feed.keep_alive(Duration::from_secs(4));
            let begun = Instant::now();
            let mut client = Client::resume(reports.of(feed), id);
            client.read_to_end().await;
            assert!((29..=31).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
            assert!(after_resets(&client, resets).is_empty());
            assert_eq!(client.last_event_id(), "", "it comes back to the same gap");
            let error = reports.only();
            assert!(error.is_source(), "{error}");
            let source = std::error::Error::source(&error).expect("what was wrong").to_string();
            assert_eq!(source, "it was not made within 30s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_no_events_is_an_event_that_says_so_and_carries_the_position() {
    let log = three_to_seven().await;
    let head = log.clone();
    let nothing = MakeSnapshot::new(move |_| {
        let at = head.stats().newest;
        async { Ok(Snapshot::new([""; 0], at)) }
    });
    for (feed, id, resets) in doors(&log.feed(), &nothing) {
        let mut client = Client::resume(feed.clone(), id);
        client.read_until(resets + 1).await;
        assert_eq!(after_resets(&client, resets), [""]);
        let snapshot = &client.parsed()[resets];
        assert_eq!(snapshot.event_type, "snapshot");
        assert_eq!(snapshot.last_event_id, log.stats().newest.as_str());
        let next = log.append("next").await.expect("stored");
        let mut resumed = Client::resume(feed, client.last_event_id());
        assert_eq!(resumed.read_all().await, ["next"]);
        assert_eq!(resumed.last_event_id(), next.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_with_an_event_that_the_log_would_refuse_ends_the_response() {
    let log = EventLog::in_memory(LogOptions::from(5).largest_event(1000));
    append(&log, 1..=7).await;
    for (size, is_too_large) in [(900, false), (1100, true)] {
        let head = log.clone();
        let make = MakeSnapshot::new(move |_| {
            let at = head.stats().newest;
            let events = ["small".to_owned(), "x".repeat(size)];
            async { Ok(Snapshot::new(events, at)) }
        });
        for feed in [log.feed(), merge([("a", &log)]).expect("a name")] {
            for (feed, id, resets) in doors(&feed, &make) {
                let reports = Reports::default();
                let mut client = Client::resume(reports.of(feed), id);
                client.read_all().await;
                let state = after_resets(&client, resets);
                assert_eq!(client.is_over(), is_too_large, "{size}");
                if is_too_large {
                    assert!(state.is_empty(), "no half of a state");
                    assert!(reports.only().is_too_large());
                } else {
                    assert_eq!(state.len(), 2);
                }
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
