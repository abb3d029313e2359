//! A stream of topics that is open is told of a gap only if an event of its topics was dropped before it could read it.

use sse_core::{EventLog, OnGap, Start, StoreOptions, TopicSet};

use crate::support::client::Client;
use crate::support::clock::{self, pass};
use crate::support::poller::Poller;
use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::topics::append;

#[tokio::test]
async fn an_added_topic_is_no_gap_though_the_log_has_dropped_older_events_of_it() {
    let log = EventLog::in_memory(2);
    let mine = TopicSet::new(["mine"]).expect("a topic");
    let feed = log.topics(&mine).expect("in memory").no_position_event();
    let (mut waits, mut is_behind) = (Poller::new(feed.clone(), None), Poller::new(feed, None));
    waits.all();
    is_behind.all();
    for number in 0..5 {
        append(&log, &format!("before {number}"), &["room"]).await;
    }
    mine.add("room", Start::Live).expect("a topic");
    append(&log, "after", &["room"]).await;
    assert_eq!(waits.all(), ["after"]);
    // An event that it has not read stands before the change.
    append(&log, "unread", &["mine"]).await;
    mine.remove("room");
    mine.add("hall", Start::Live).expect("a topic");
    append(&log, "hall", &["hall"]).await;
    assert_eq!(waits.all(), ["after", "unread", "hall"]);
    assert_eq!(is_behind.all(), ["unread", "hall"]);
    append(&log, "lost", &["hall"]).await;
    append(&log, "1", &["another's"]).await;
    append(&log, "2", &["another's"]).await;
    assert!(waits.all()[3].contains("too-old"), "an event after the change is a gap");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_no_gap_for_a_stream_that_waits() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let opened = EventLog::open(store.clone(), StoreOptions::new(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let _following = tokio::spawn(follower);
    let feed = log.topics(["mine"]).expect("kept").no_position_event();
    let mut client = Client::open(feed);
    client.read_all().await;
    let mut ids = vec![];
    for number in 0..10 {
        ids.push(append(&log, &number.to_string(), &["another's"]).await);
    }
    pass(100).await;
    log.delete(&ids[9].parse().expect("an id")).await.expect("it is there");
    pass(100).await;
    store.trim(5);
    append(&log, "mine", &["mine"]).await;
    pass(100).await;
    assert_eq!(client.read_until(1).await, ["mine"]);
    assert_eq!(log.stats().topics, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_missed_an_epoch_is_told_its_position_in_the_next() {
    let log = EventLog::in_memory(100);
    let feed = log.topics(["mine"]).expect("in memory").on_gap(OnGap::Live);
    let mut client = Client::open(feed.clone());
    append(&log, "mine", &["mine"]).await;
    client.read_until(1).await;
    log.new_epoch().await.expect("in memory");
    pass(60_000).await;
    client.read_for(std::time::Duration::from_secs(60)).await;
    assert_eq!(client.last_event_id(), log.stats().newest.as_str());
}
