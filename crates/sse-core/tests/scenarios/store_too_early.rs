//! Ids that a client asks for before the log gives them to another: each is known once it is given.

use std::time::Duration;

use sse_core::{EventId, EventLog, Feed, Follower, OnGap, Start, StoreOptions, TopicSet, merge};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::Poller;
use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::topics::append;

/// A process that follows only when it is told to, and another one that appends.
struct Processes {
    lagging: EventLog,
    follower: Follower,
    other: EventLog,
}

impl Processes {
    /// Both have the events 1 to 5.
    async fn new() -> Self {
        let store = ScriptedStore::on(clock::timer(), Positions::Dense);
        let open = async || {
            let opened =
                EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
            opened.expect("the store is up")
        };
        let ((lagging, follower), (other, following)) = (open().await, open().await);
        tokio::spawn(following);
        for number in 1..=5 {
            append(&other, &number.to_string(), &["mine"]).await;
        }
        let mut processes = Self { lagging, follower, other };
        processes.follow(100).await;
        processes
    }

    async fn follow(&mut self, millis: u64) {
        let following = tokio::time::timeout(Duration::from_millis(millis), &mut self.follower);
        assert!(following.await.is_err(), "the follower runs as long as its log is in use");
    }

    async fn append(&self, text: &str) -> EventId {
        append(&self.other, text, &["mine"]).await.parse().expect("an id")
    }
}

/// Each way to stream a log.
const FEEDS: [fn(&EventLog) -> Feed; 4] = [
    EventLog::feed,
    |log| log.topics(["mine"]).expect("it keeps topics").no_position_event(),
    |log| merge([("log", log)]).expect("a name"),
    |log| merge([("log", log.topics(["mine"]).expect("it keeps topics"))]).expect("a name"),
];

/// The digits of the ids of a merge.
const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The ids of the thirty events after the fifth, in the form of its id.
fn next_ids(fifth: &str) -> Vec<String> {
    let before = fifth.strip_suffix('5').expect("the id of the fifth");
    let digits = DIGITS.char_indices().skip(6);
    let next = digits.map(|(number, digit)| match before.starts_with('_') {
        true => format!("{before}{digit}"),
        false => format!("{before}{number}"),
    });
    next.collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_after_an_id_that_others_had_asked_for_too_early() {
    // The end of a stream is remembered, so that the next response has its status; a reset is not.
    let ends = [OnGap::Reset, OnGap::Stop, OnGap::Status(410)];
    for (feed, of_attackers) in
        FEEDS.iter().flat_map(|feed| ends.iter().map(move |end| (feed, end)))
    {
        let mut processes = Processes::new().await;
        let mut reader = Client::open(feed(&processes.other).start_at(Start::Oldest));
        reader.read_until(5).await;
        let mut attack: Vec<_> = next_ids(reader.last_event_id())
            .iter()
            .map(|id| {
                let feed = feed(&processes.lagging).on_gap(of_attackers.clone());
                Poller::new(feed, Some(id))
            })
            .collect();
        attack.iter_mut().for_each(|client| drop(client.all()));
        processes.follow(100).await;
        for client in &mut attack {
            let is_told = client.all().iter().any(|data| data.contains("ahead-of-head"));
            assert!(is_told || client.is_over(), "the id is not known yet");
        }
        // The reader goes to the process that has not followed to its last event.
        processes.append("6").await;
        reader.read_until(6).await;
        let seen = reader.last_event_id().to_owned();
        let mut clients = [OnGap::Stop, OnGap::Status(410), OnGap::Reset, OnGap::Live]
            .map(|gap| Poller::new(feed(&processes.lagging).on_gap(gap), Some(&seen)));
        processes.append("7").await;
        clients.iter_mut().for_each(|client| drop(client.all()));
        processes.follow(2000).await;
        for client in &mut clients {
            assert_eq!((client.status, client.all()), (200, vec!["7".to_owned()]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_log_knows_an_id_that_others_had_asked_for_too_early() {
    let mut processes = Processes::new().await;
    let (log, mine) = (processes.lagging.clone(), TopicSet::new(["mine"]).expect("a topic"));
    let fifth = processes.other.stats().newest;
    for id in next_ids(fifth.as_str()) {
        let id: EventId = id.parse().expect("an id");
        assert!(log.get(&id).await.expect_err("too early").is_gap());
        assert!(log.read_after(&id, 10).await.expect_err("too early").is_gap());
        assert!(log.read_after_in(&mine, &id, 10).await.expect_err("too early").is_gap());
        assert!(log.read_before(&id, 10).await.expect_err("too early").is_gap());
        assert!(log.delete(&id).await.expect_err("too early").is_gap());
    }
    let six = processes.append("6").await;
    let seven = processes.append("7").await;
    let texts = |frames: Vec<sse_core::Frame>| {
        frames.iter().filter_map(|frame| frame.to_event().data).collect::<Vec<_>>()
    };
    assert_eq!(log.get(&six).await.expect("given").to_event().data.as_deref(), Some("6"));
    assert_eq!(texts(log.read_before(&seven, 1).await.expect("given")), ["6"]);
    assert_eq!(texts(log.read_after(&six, 10).await.expect("given")), ["7"]);
    assert_eq!(texts(log.read_after_in(&mine, &six, 10).await.expect("given")), ["7"]);
    let mut client = Poller::new(&log, None);
    client.all();
    log.delete(&six).await.expect("given");
    for _ in 0..2 {
        processes.follow(1000).await;
        client.all();
    }
    assert_eq!(client.data(), ["7"], "nobody gets what was deleted");
    assert!(log.get(&six).await.expect_err("deleted").is_gap());
}
