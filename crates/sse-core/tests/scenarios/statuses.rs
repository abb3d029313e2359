//! A gap as a status, and the status of a first visit to a finished log.

use std::time::Duration;

use sse_core::{
    End, Ended, Event, EventId, EventLog, Feed, Follower, Gap, Observer, OnGap, Start,
    StoreOptions, StreamResponse, merge,
};

use crate::support::client::{Client, request, request_after, status_after};
use crate::support::clock;
use crate::support::poller::settle;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) -> Vec<EventId> {
    let events = numbers.into_iter().map(|number| Event::new(number.to_string()));
    log.append_all(events).await.expect("stored")
}

async fn open(store: &ScriptedStore) -> (EventLog, Follower) {
    let options = StoreOptions::new().tail_events(3);
    EventLog::open(store.clone(), options, clock::timer()).await.expect("the store is up")
}

fn gone(log: &EventLog) -> Feed {
    log.feed().on_gap(OnGap::Status(410))
}

async fn resolved(feed: Feed, id: &str) -> u16 {
    StreamResponse::resolved(&request_after(id), feed, clock::timer()).await.status
}

#[tokio::test(start_paused = true)]
async fn a_gap_has_the_status_that_was_chosen_and_no_body() {
    let log = EventLog::in_memory(3);
    let ids = append(&log, 1..=9).await;
    let ahead = ids[8].as_str().replace(".9", ".10");
    for id in [ids[0].as_str(), &ahead, "k3b9.1", "nonsense"] {
        for (chosen, status) in [(410, 410), (404, 404), (200, 410), (9, 410)] {
            let feed = log.feed().on_gap(OnGap::Status(chosen));
            let response = StreamResponse::new(&request_after(id), feed, clock::timer());
            assert_eq!(response.status, status, "{id}");
            assert_eq!(response.headers.get("content-type"), None);
            assert_eq!(Client::new(response.body).read_to_end().await, numbers([]));
        }
        assert_eq!(resolved(gone(&log), id).await, 410);
    }
    assert_eq!(status_after(gone(&log), &ids[6]), 200);
    assert_eq!(resolved(gone(&log), ids[6].as_str()).await, 200);
    assert_eq!(log.stats().open_streams, 0);
}

/// Counts what an observer is told.
#[derive(Default, Clone)]
struct Told(std::sync::Arc<std::sync::Mutex<(usize, Vec<End>)>>);

impl Observer for Told {
    fn gap(&self, _: &Gap) {
        self.0.lock().expect("not poisoned").0 += 1;
    }
    fn ended(&self, ended: &Ended) {
        self.0.lock().expect("not poisoned").1.push(ended.end);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_a_gap_that_was_found_beforehand() {
    let log = EventLog::in_memory(3);
    append(&log, 1..=9).await;
    let told = Told::default();
    let feed = log.feed().start_at(Start::Skip(2)).on_gap(OnGap::Status(410));
    let (request, feed) = (request(), feed.observer(told.clone()));
    let response = StreamResponse::resolved(&request, feed, clock::timer()).await;
    assert_eq!(response.status, 410);
    assert_eq!(*told.0.lock().expect("not poisoned"), (1, vec![End::Gap]));
}

#[tokio::test(start_paused = true)]
async fn over_a_store_the_next_response_has_the_status_of_a_gap_that_was_found_late() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let store = ScriptedStore::on(clock::timer(), positions);
        let (log, follower) = open(&store).await;
        let ids = append(&log, 1..=9).await;
        let following = tokio::spawn(follower);
        settle().await;
        let (epoch, _) = ids[0].as_str().split_once('.').expect("epoch and position");
        let ahead = format!("{epoch}.9000000000000-1");
        for id in [ahead.as_str(), "k3b9.1"] {
            let mut late = Client::resume(gone(&log), id);
            assert_eq!(late.read_to_end().await, numbers([]), "the response ends");
            assert_eq!(status_after(gone(&log), id), 410, "{id}");
        }
        // Another may have given it by now.
        append(&log, [10]).await;
        settle().await;
        assert_eq!(status_after(gone(&log), &ahead), 200, "the store is asked again");
        assert_eq!(status_after(gone(&log), "k3b9.1"), 410);
        assert_eq!(status_after(gone(&log), &ids[0]), 200, "it is behind the tail");
        store.trim(5);
        log.read_after(&ids[8], 1).await.expect("an id");
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert_eq!(status_after(gone(&log), &ids[0]), 410, "it was dropped");
        following.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_that_only_the_store_knows_is_the_status_if_it_is_asked_first() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let store = ScriptedStore::on(clock::timer(), positions);
        let ((log, _follower), (other, _)) = (open(&store).await, open(&store).await);
        let ids = append(&other, 1..=9).await;
        let (epoch, _) = ids[0].as_str().split_once('.').expect("epoch and position");
        let ahead = format!("{epoch}.9000000000000-1");
        for id in [ahead.as_str(), "k3b9.1", "nonsense"] {
            assert_eq!(resolved(gone(&log), id).await, 410, "{id}");
            let both = merge([("a", &log)]).expect("a name").on_gap(OnGap::Status(410));
            assert_eq!(resolved(both, id).await, 410, "{id}");
            assert_eq!(resolved(log.feed(), id).await, 200, "a reset tells of it");
        }
        for id in &ids {
            assert_eq!(resolved(gone(&log), id.as_str()).await, 200, "another process gave it");
        }
        let counted = |count| gone(&log).start_at(Start::Skip(count));
        assert_eq!(resolved(counted(9), "").await, 200);
        assert_eq!(resolved(counted(10), "").await, 410);
        let after = gone(&log).start_at(Start::After(EventId::from_static("k3b9.1")));
        assert_eq!(resolved(after, "").await, 410);
    }
}

#[tokio::test(start_paused = true)]
async fn to_ask_first_takes_no_longer_than_the_timeout_of_the_store() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, _follower) = open(&store).await;
    store.fault(Call::Bounds, Fault::Stalls);
    let begun = tokio::time::Instant::now();
    assert_eq!(resolved(gone(&log), "k3b9.1").await, 200, "nobody knows");
    assert!((4..=6).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_to_a_finished_log_gets_its_events_then_the_end_and_then_the_204() {
    let log = EventLog::in_memory(10);
    append(&log, 1..=3).await;
    log.finish().await.expect("nothing fails in memory");
    let starts =
        [(Start::Oldest, 1), (Start::Last(2), 2), (Start::Skip(1), 2), (Start::Skip(2), 3)];
    for (start, first) in starts {
        let feed = || log.feed().start_at(start.clone());
        let mut client = Client::open(feed());
        assert_eq!(client.read_to_end().await, numbers(first..=3), "{start:?}");
        assert_eq!(status_after(feed(), client.last_event_id()), 204);
    }
    for start in [Start::Live, Start::Last(0), Start::Skip(3)] {
        let feed = || log.feed().start_at(start.clone());
        assert_eq!(status_after(feed(), ""), 204, "{start:?}");
        let mut client = Client::open(feed().finished_first_visit(200));
        assert_eq!(client.read_to_end().await, numbers([]));
        assert!(client.text().starts_with(": ok\n"));
        assert_eq!(status_after(feed().finished_first_visit(404), ""), 404);
        assert_eq!(status_after(feed().finished_first_visit(7), ""), 204);
    }
    let newest = log.stats().newest;
    assert_eq!(status_after(log.feed().finished_first_visit(200), newest), 204, "it has all");
}
