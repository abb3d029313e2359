//! Clients that were cut off together do not come back together.

use std::time::Duration;

use sse_core::{Event, EventLog, FeedOnce, StreamContext, StreamResponse, Timer};

use crate::support::client::{Client, request};
use crate::support::clock;
use crate::support::script::Script;

/// The reconnection time at the start of a stream of this feed, in milliseconds.
async fn retry(feed: impl Into<FeedOnce>, timer: Timer) -> Option<u64> {
    let mut client = Client::new(StreamResponse::new(&request(), feed, timer).body);
    client.chunk().await;
    client.parser.reconnection_time()
}

#[tokio::test(start_paused = true)]
async fn each_stream_is_given_its_own_time_around_that_of_its_feed() {
    let log = EventLog::in_memory(1);
    for (feed, usual) in [(log.feed(), 3000), (log.feed().retry(Duration::from_secs(10)), 10_000)] {
        let mut times = Vec::new();
        for _ in 0..200 {
            times.push(retry(feed.clone(), clock::timer()).await.expect("it is sent"));
        }
        let (least, most) = (times.iter().min().copied(), times.iter().max().copied());
        let (least, most) = (least.expect("200"), most.expect("200"));
        assert!((usual / 2..usual * 6 / 10).contains(&least), "{least} of {usual}");
        assert!((usual * 14 / 10..=usual * 15 / 10).contains(&most), "{most} of {usual}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_given_a_time_whatever_its_events_come_from() {
    for feed in [
        FeedOnce::from(EventLog::in_memory(1)),
        FeedOnce::from(Script::default()),
        StreamContext::channel().1,
    ] {
        let time = retry(feed, clock::timer()).await.expect("it is sent");
        assert!((1500..=4500).contains(&time), "{time}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_can_be_the_same_for_all_or_the_client_s_own() {
    let log = EventLog::in_memory(1);
    for _ in 0..20 {
        let exact = log.feed().retry_exactly(Duration::from_secs(2));
        assert_eq!(retry(exact, clock::timer()).await, Some(2000));
        assert_eq!(retry(log.feed().no_retry(), clock::timer()).await, None);
    }
    let (none, longest) = (Duration::ZERO, Duration::MAX);
    assert_eq!(retry(log.feed().retry(none), clock::timer()).await, Some(0));
    for _ in 0..20 {
        let time = retry(log.feed().retry(longest), clock::timer()).await;
        assert!((1_073_741_823..=2_147_483_647).contains(&time.expect("it is sent")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_event_wins_over_that_of_the_stream() {
    let log = EventLog::in_memory(1);
    let mut client = Client::open(&log);
    client.read_all().await;
    let event = Event::new("slow down").retry(Duration::from_secs(60));
    log.append(event).await.expect("stored");
    client.read_all().await;
    assert_eq!(client.parser.reconnection_time(), Some(60_000));
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_times_and_the_application_s_generator_has_no_part_in_them() {
    let log = EventLog::in_memory(1);
    let times = async |timer: Timer| {
        let mut times = Vec::new();
        for _ in 0..5 {
            fastrand::seed(7);
            times.push(retry(&log, timer.clone()).await.expect("it is sent"));
        }
        times
    };
    let seeded = times(clock::timer().seeded(42)).await;
    assert_eq!(times(clock::timer().seeded(42)).await, seeded);
    assert_ne!(times(clock::timer().seeded(43)).await, seeded);
    let drawn = times(clock::timer()).await;
    assert!(drawn.iter().any(|time| *time != drawn[0]), "{drawn:?}");
}
