//! A finished log over a store, most of which is not in memory: a client for which nothing is left there comes back to the end, and not for ever.

use std::time::Duration;

use sse_core::{Event, EventLog, Feed, NewEvent, Start, StoreOptions, StreamResponse, merge};
use tokio::task::JoinHandle;

use crate::support::client::{Client, request, request_after};
use crate::support::clock::{self, pass};
use crate::support::poller::settle;
use crate::support::script::numbers;
use crate::support::scripted_store::{Positions, ScriptedStore};

/// A finished log of 40 events, each of topic `a`, three of which are in memory, and its follower. Returns the ids.
async fn finished(positions: Positions) -> (EventLog, Vec<String>, JoinHandle<()>) {
    let store = ScriptedStore::on(clock::timer(), positions);
    let options = StoreOptions::new().tail_events(3);
    let (log, follower) =
        EventLog::open(store, options, clock::timer()).await.expect("the store is up");
    let following = tokio::spawn(follower);
    let mut ids = Vec::new();
    for number in 1..=40 {
        let event = NewEvent::from(number.to_string()).topic("a").expect("a topic");
        ids.push(log.append(event).await.expect("stored").to_string());
    }
    pass(60_000).await;
    (log, ids, following)
}

/// Comes back as EventSource does, with the newest id that it has, until it is answered 204. Returns the events.
async fn until_the_end(feed: &Feed, mut id: Option<String>) -> Vec<String> {
    let mut events = Vec::new();
    for _ in 0..3 {
        let request = id.as_deref().map_or_else(request, request_after);
        if StreamResponse::new(&request, feed.clone(), clock::timer()).status == 204 {
            return events;
        }
        let mut client = match &id {
            Some(id) => Client::resume(feed.clone(), id),
            None => Client::open(feed.clone()),
        };
        // Not those that tell it its position.
        events.extend(client.read_to_end().await.into_iter().filter(|data| !data.is_empty()));
        if !client.last_event_id().is_empty() {
            id = Some(client.last_event_id().to_owned());
        }
    }
    panic!("it comes back for ever, with {id:?}, after {events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_visit_that_has_no_event_to_get_comes_back_to_the_end() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let (log, _, _follower) = finished(positions).await;
        log.finish().await.expect("finished");
        settle().await;
        for start in [Start::Since(Duration::from_secs(1)), Start::Last(0), Start::Live] {
            let feed = log.feed().start_at(start.clone());
            assert_eq!(until_the_end(&feed, None).await, numbers([]), "{start:?}");
        }
        for start in [Start::Since(Duration::from_secs(1)), Start::Oldest, Start::Last(5)] {
            let other = log.topics(["b"]).expect("a topic").start_at(start.clone());
            for feed in [other.clone(), other.no_position_event()] {
                assert_eq!(until_the_end(&feed, None).await, numbers([]), "{start:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_for_which_nothing_is_left_comes_back_to_the_end() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let (log, ids, _follower) = finished(positions).await;
        log.finish_with([Event::new("41")]).await.expect("finished");
        for id in &ids[10..] {
            log.delete(&id.parse().expect("an id")).await.expect("deleted");
        }
        settle().await;
        let feeds = [log.feed(), log.topics(["a"]).expect("a topic").no_position_event()];
        for feed in &feeds {
            assert_eq!(until_the_end(feed, Some(ids[20].clone())).await, numbers([41]));
            assert_eq!(until_the_end(feed, Some(ids[5].clone())).await, numbers([7, 8, 9, 10, 41]));
        }
        let topics = log.topics(["b"]).expect("a topic").no_position_event();
        assert_eq!(until_the_end(&topics, Some(ids[20].clone())).await, numbers([41]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_topics_comes_back_to_the_end_when_the_rest_is_of_others() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let (log, ids, _follower) = finished(positions).await;
        log.finish().await.expect("finished");
        settle().await;
        let topics = log.topics(["b"]).expect("a topic").no_position_event();
        assert_eq!(until_the_end(&topics, Some(ids[3].clone())).await, numbers([]));
        for id in &ids[10..] {
            log.delete(&id.parse().expect("an id")).await.expect("deleted");
        }
        assert_eq!(until_the_end(&log.feed(), Some(ids[12].clone())).await, numbers([]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_comes_back_to_its_end() {
    for positions in [Positions::Dense, Positions::Sparse] {
        let (a, _, _a) = finished(positions).await;
        let (b, _, _b) = finished(positions).await;
        a.finish().await.expect("finished");
        b.finish().await.expect("finished");
        settle().await;
        let feed = merge([("a", &a), ("b", &b)]).expect("two names");
        let feed = feed.start_at(Start::Since(Duration::from_secs(1)));
        assert_eq!(until_the_end(&feed, None).await, numbers([]));
    }
}
