//! Limits on open streams, and the longest life of one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sse_core::{
    End, Ended, Event, EventLog, FeedOnce, Limit, Limits, Observer, StreamContext, TopicSet, merge,
};
use tokio::time::Instant;

use crate::support::client::Client;
use crate::support::clock;
use crate::support::script::{Script, numbers};

/// Remembers how streams ended.
#[derive(Default, Clone)]
struct Ends(Arc<Mutex<Vec<End>>>);

impl Observer for Ends {
    fn ended(&self, ended: &Ended) {
        self.0.lock().expect("not poisoned").push(ended.end);
    }
}

impl Ends {
    #[track_caller]
    fn last(&self) -> End {
        *self.0.lock().expect("not poisoned").last().expect("one has ended")
    }
}

/// A client that is let in.
async fn let_in(feed: impl Into<FeedOnce>) -> Client {
    let mut client = Client::open(feed);
    client.read_all().await;
    assert!(!client.is_over(), "it is not let in");
    client
}

/// Opens a stream that is refused. Returns the time after which its client may come back, in milliseconds.
async fn refused(feed: impl Into<FeedOnce>, limit: Limit) -> u64 {
    let ends = Ends::default();
    let mut client = Client::open(feed.into().observer(ends.clone()));
    assert_eq!(client.read_to_end().await, numbers([]));
    assert!(client.text().starts_with(": ok\n"), "{}", client.text());
    assert_eq!(ends.last(), End::Limited(limit));
    client.parser.reconnection_time().expect("a time to come back")
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_process_counts_the_streams_of_all_feeds() {
    let limits = Limits::new().process(3);
    let log = EventLog::in_memory(10);
    let feeds = || {
        [
            FeedOnce::from(log.feed()),
            FeedOnce::from(Script::default()),
            FeedOnce::from(merge([("a", &EventLog::in_memory(1))]).expect("a name")),
        ]
    };
    let mut clients = Vec::new();
    for feed in feeds() {
        clients.push(let_in(feed.limits(&limits)).await);
    }
    assert_eq!(limits.open_streams(), 3);
    for feed in feeds() {
        refused(feed.limits(&limits), Limit::Process).await;
    }
    let context = StreamContext::run(|_| async { panic!("it is not run") });
    refused(context.limits(&limits), Limit::Process).await;
    assert_eq!((limits.open_streams(), log.stats().open_streams), (3, 1));
    clients.remove(0);
    assert_eq!(limits.open_streams(), 2);
    let_in(log.feed().limits(&limits)).await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_log_counts_its_streams_whatever_their_feed() {
    let (log, other) = (EventLog::in_memory(10), EventLog::in_memory(10));
    let limits = Limits::new().each_log(2);
    let first = let_in(&log).await;
    let _second = let_in(merge([("a", &log)]).expect("a name").limits(&limits)).await;
    refused(log.feed().limits(&limits), Limit::Log).await;
    let both = || merge([("other", &other), ("a", &log)]).expect("two names").limits(&limits);
    refused(both(), Limit::Log).await;
    assert_eq!((log.stats().open_streams, other.stats().open_streams), (2, 0));
    let_in(other.feed().limits(&limits)).await;
    drop(first);
    let_in(both()).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_many_topics_is_refused_if_one_of_them_is_full() {
    let log = EventLog::in_memory(10);
    let limits = Limits::new().each_topic(2);
    let feed = |topics: &[&str]| {
        let topics = TopicSet::new(topics).expect("topics");
        log.topics(&topics).expect("in memory").limits(&limits)
    };
    let one = let_in(feed(&["a", "b"])).await;
    let _two = let_in(feed(&["a"])).await;
    refused(feed(&["c", "a"]), Limit::Topic).await;
    assert_eq!(log.stats().open_streams, 2);
    let _three = let_in(feed(&["b", "c"])).await;
    let_in(log.feed().limits(&limits)).await;
    drop(one);
    let_in(feed(&["c", "a"])).await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_principal_is_its_own_and_may_differ() {
    let log = EventLog::in_memory(10);
    let limits = Limits::new().each_principal(2);
    let feed = |key: &str| log.feed().limits(&limits).principal(key);
    let first = let_in(feed("ada")).await;
    let _second = let_in(feed("ada")).await;
    refused(feed("ada"), Limit::Principal).await;
    let _other = let_in(feed("bob")).await;
    let _nobody = let_in(log.feed().limits(&limits)).await;
    let paid = limits.clone().each_principal(3);
    let _third = let_in(log.feed().limits(&paid).principal("ada")).await;
    assert_eq!((limits.open_streams(), limits.open_streams_of("ada")), (5, 3));
    drop(first);
    refused(feed("ada"), Limit::Principal).await;
    assert_eq!(limits.open_streams_of("ada"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_ended_is_counted_no_longer_though_its_body_is_held() {
    let log = EventLog::in_memory(10);
    let limits = Limits::new().process(1);
    let mut client = let_in(log.feed().limits(&limits).principal("ada")).await;
    log.finish().await.expect("nothing fails in memory");
    client.read_to_end().await;
    assert_eq!((limits.open_streams(), limits.open_streams_of("ada")), (0, 0));
    assert_eq!(crate::support::client::status_after(log.feed().limits(&limits), ""), 204);
    assert_eq!(limits.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn those_who_are_refused_come_back_later_the_more_there_are() {
    let log = EventLog::in_memory(10);
    let limits = Limits::new().process(10).each_principal(10);
    let feed = || log.feed().limits(&limits);
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(let_in(feed().principal("ada")).await);
    }
    // One principal's load delays nobody else.
    let ada = limits.clone().process(100);
    for _ in 0..200 {
        refused(log.feed().limits(&ada).principal("ada"), Limit::Principal).await;
    }
    let first = refused(feed(), Limit::Process).await;
    assert!((1500..=5500).contains(&first), "{first}");
    for _ in 0..200 {
        refused(feed(), Limit::Process).await;
    }
    let busy = refused(feed(), Limit::Process).await;
    assert!(busy > 25_000, "{busy}");
    for _ in 0..10_000 {
        refused(feed(), Limit::Process).await;
    }
    let most = refused(feed().retry(Duration::MAX), Limit::Process).await;
    assert_eq!(most, 2_147_483_647);
    let most = refused(feed(), Limit::Process).await;
    assert!((150_000..=450_000).contains(&most), "{most}");
    clock::pass(1_000_000).await;
    let quiet = refused(feed(), Limit::Process).await;
    assert!((1500..=5500).contains(&quiet), "{quiet}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_its_longest_life_and_each_after_its_own() {
    let log = EventLog::in_memory(10);
    let mut lives = Vec::new();
    for _ in 0..50 {
        let ends = Ends::default();
        let feed = log.feed().longest_life(Duration::from_secs(30)).observer(ends.clone());
        let feed = feed.keep_alive(Duration::from_secs(4));
        let begun = Instant::now();
        let mut client = Client::open(feed);
        client.read_all().await;
        log.append(Event::new("1")).await.expect("stored");
        client.read_until(1).await;
        client.read_to_end().await;
        assert_eq!(client.text().matches("retry: ").count(), 2, "at its start and at its end");
        assert_eq!(ends.last(), End::Lifetime);
        let life = begun.elapsed().as_millis();
        assert!((24_000..=30_100).contains(&life), "{life} ms");
        lives.push(life);
        assert_eq!(log.stats().open_streams, 0);
    }
    assert!(lives.iter().any(|life| *life != lives[0]), "{lives:?}");
}
