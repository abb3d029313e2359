//! First visits that begin with the application's own events, and go on after their position.

use std::time::Duration;

use futures_util::StreamExt;
use sse_core::{
    BoxError, Event, EventId, EventLog, Feed, Followed, Follower, MakeSnapshot, OnGap, Replay,
    Snapshot, Source, Start, StoreOptions, async_trait, merge,
};

use crate::support::client::{Client, status_after};
use crate::support::clock;
use crate::support::report::Reports;
use crate::support::script::{Script, event, numbers};
use crate::support::scripted_store::{Positions, ScriptedStore};

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

/// A state that takes a second to gather, and stands for all events up to the newest.
fn state_of(log: &EventLog) -> MakeSnapshot {
    let log = log.clone();
    MakeSnapshot::new(move |request| {
        let at = log.stats().newest;
        async move {
            clock::pass(1000).await;
            let first = if request.gap.is_some() { "after a gap" } else { "at first" };
            Ok(Snapshot::new([first, "state"], at))
        }
    })
}

fn feed(log: &EventLog) -> Feed {
    let make = state_of(log);
    log.feed().start_at(Start::Snapshot(make.clone())).on_gap(OnGap::Snapshot(make))
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_gets_the_state_and_then_what_came_after_it_and_no_reset() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=7).await;
    let mut client = Client::open(feed(&log));
    assert_eq!(client.read_all().await, numbers([]), "the state is being gathered");
    append(&log, 8..=9).await;
    assert_eq!(client.read_until(4).await, ["at first", "state", "8", "9"]);
    let parsed = client.parsed();
    assert_eq!(parsed[0].last_event_id, "");
    assert!(parsed[1].last_event_id.ends_with(".7"));

    append(&log, [10]).await;
    let mut resumed = Client::resume(feed(&log), client.last_event_id());
    assert_eq!(resumed.read_all().await, numbers([10]), "a return is no first visit");
    let mut lost = Client::resume(feed(&log), "nonsense");
    let events = lost.read_until(3).await;
    assert_eq!(events[1..], ["after a gap", "state"]);
    assert_eq!(lost.parsed()[0].event_type, "reset");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_off_inside_the_state_begins_again() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let mut client = Client::open(feed(&log));
    client.read_all().await;
    drop(client);
    assert_eq!(log.stats().open_streams, 0);
    let mut again = Client::open(feed(&log));
    assert_eq!(again.read_until(2).await, ["at first", "state"]);
}

#[tokio::test(start_paused = true)]
async fn to_start_over_is_to_begin_with_the_state_again() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let start_over = feed(&log).on_gap(OnGap::StartOver);
    let mut client = Client::resume(start_over, "nonsense");
    assert_eq!(client.read_until(3).await[1..], ["after a gap", "state"]);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_made_ends_the_response_and_the_client_begins_again() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let nowhere = |_| async { Ok(Snapshot::new(["lost"], EventId::from_static("nonsense"))) };
    let starts = [
        Start::snapshot(|_| async { Err("the database is away".into()) }),
        Start::snapshot(|_| async { panic!("a fault of the application") }),
        Start::snapshot(|_| std::future::pending::<Result<Snapshot, BoxError>>()),
        Start::snapshot(nowhere),
    ];
    for start in starts {
        let reports = Reports::default();
        let feed = log.feed().start_at(start).keep_alive(Duration::from_secs(4));
        let mut client = Client::open(reports.of(feed));
        assert_eq!(client.read_to_end().await, numbers([]), "and no half of a state");
        let error = reports.only();
        assert!(error.is_source() || error.is_gap(), "{error}");
    }
}

/// A log whose follower has not run, and to whose store another process has appended 1 to 5; and the id of 4.
async fn behind_another_process() -> (EventLog, Follower, EventId) {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    let open = async || {
        let opened = EventLog::open(store.clone(), StoreOptions::new(), clock::timer()).await;
        opened.expect("the store is up")
    };
    let ((log, follower), (other, _)) = (open().await, open().await);
    append(&other, 1..=3).await;
    let at = other.append("4").await.expect("stored");
    append(&other, [5]).await;
    (log, follower, at)
}

#[tokio::test(start_paused = true)]
async fn over_a_store_the_state_may_be_ahead_of_what_the_process_has_seen() {
    let (log, follower, at) = behind_another_process().await;
    let start = Start::snapshot(move |_| {
        let at = at.clone();
        async { Ok(Snapshot::new(["one to four"], at)) }
    });
    let mut client = Client::open(log.feed().start_at(start));
    assert_eq!(client.read_all().await, numbers([]), "nobody has asked the store yet");
    let following = tokio::spawn(follower);
    assert_eq!(client.read_until(2).await, ["one to four", "5"]);
    following.abort();
}

#[tokio::test(start_paused = true)]
async fn over_a_store_to_start_over_may_be_to_begin_ahead_of_what_the_process_has_seen() {
    let (log, follower, at) = behind_another_process().await;
    let feed = log.feed().on_gap(OnGap::StartOver);
    let epoch = log.epoch();
    let starts = [Start::After(at), Start::After(format!("{epoch}.9-9").parse().expect("an id"))];
    let mut clients = starts.map(|start| Client::resume(feed.clone().start_at(start), "nonsense"));
    for client in &mut clients {
        assert_eq!(client.read_all().await, numbers([]), "nobody has asked the store yet");
    }
    let following = tokio::spawn(follower);
    let [after, too_late] = &mut clients;
    assert_eq!(after.read_until(2).await[1..], ["5"]);
    assert_eq!(too_late.read_until(6).await[1..], numbers(1..=5), "no event has that id");
    following.abort();
}

#[tokio::test(start_paused = true)]
async fn each_log_of_a_merge_begins_with_its_own_state() {
    let (a, b) = (EventLog::in_memory(10), EventLog::in_memory(10));
    append(&a, 1..=2).await;
    append(&b, 3..=4).await;
    let logs = [("a", a.clone()), ("b", b.clone())];
    let make = MakeSnapshot::new(move |request| {
        let name = request.log.expect("the name of a log");
        let log = logs.iter().find(|(own, _)| **own == *name).expect("one of both");
        let at = log.1.stats().newest;
        async move { Ok(Snapshot::new([format!("state of {name}")], at)) }
    });
    let feed = merge([("a", &a), ("b", &b)]).expect("two names").start_at(Start::Snapshot(make));
    let mut client = Client::open(feed.clone());
    let mut states = client.read_until(2).await;
    states.sort();
    assert_eq!(states, ["state of a", "state of b"]);
    append(&a, [5]).await;
    append(&b, [6]).await;
    let mut resumed = Client::resume(feed, client.last_event_id());
    let mut events = resumed.read_until(2).await;
    events.sort();
    assert_eq!(events, numbers([5, 6]));
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

    async fn stream(&self) -> Result<sse_core::Frames, BoxError> {
        self.0.stream().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_for_what_came_after_the_state() {
    let script = Script::holding(1..=7);
    let start = Start::snapshot(|_| async {
        clock::pass(1000).await;
        Ok(Snapshot::new([event(99)], EventId::from_static("5")))
    });
    let mut client = Client::open(Feed::from(Young(script.clone())).start_at(start));
    client.read_all().await;
    script.publish(8);
    client.read_until(4).await;
    script.publish(9);
    assert_eq!(client.read_all().await, numbers([99, 6, 7, 8, 9]));
}

#[tokio::test(start_paused = true)]
async fn a_worker_gets_the_state_as_events() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    let mut events = log.follow_after(Start::Snapshot(state_of(&log)));
    let mut texts = Vec::new();
    for _ in 0..3 {
        if texts.len() == 2 {
            append(&log, [4]).await;
        }
        let Some(Ok(Followed::Event(frame))) = events.next().await else { panic!("an event") };
        texts.push(frame.to_event().data.expect("data"));
    }
    assert_eq!(texts, ["at first", "state", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_to_a_finished_log_gets_its_state_and_then_the_end() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    log.finish().await.expect("nothing fails in memory");
    let mut client = Client::open(feed(&log));
    assert_eq!(client.read_to_end().await, ["at first", "state"]);
    assert_eq!(status_after(feed(&log), client.last_event_id()), 204);
}
