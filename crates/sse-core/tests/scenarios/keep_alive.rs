//! A stream that is silent says that it is alive; one that is not costs no timer.

use std::time::Duration;

use sse_core::{Event, EventLog, EventType, FeedOnce, StreamResponse};
use tokio::time::Instant;

use crate::support::client::{Client, request};
use crate::support::clock::{self, Clock, pass};
use crate::support::script::Script;

const KEEP_ALIVE: &str = ": keep-alive\n";

async fn append(log: &EventLog) {
    log.append(Event::new("x")).await.expect("stored");
}

/// A client of this feed, past the first line, and the clock of its stream.
async fn open(feed: impl Into<FeedOnce>) -> (Client, Clock) {
    let clock = Clock::default();
    let response = StreamResponse::new(&request(), feed, clock.timer());
    let mut client = Client::new(response.body);
    assert_eq!(client.read_all().await, [""; 0]);
    (client, clock)
}

/// The next chunk, and how many milliseconds it took.
async fn next(client: &mut Client) -> (String, u64) {
    let begun = Instant::now();
    let chunk = client.chunk().await.expect("it goes on");
    let text = String::from_utf8(chunk.to_vec()).expect("UTF-8");
    (text, u64::try_from(begun.elapsed().as_millis()).expect("short"))
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_sends_a_comment_of_one_line_at_each_interval() {
    let log = EventLog::in_memory(10);
    let (mut client, _) = open(log.feed().keep_alive(Duration::from_secs(3))).await;
    let (text, after) = next(&mut client).await;
    assert_eq!((text.as_str(), after), (KEEP_ALIVE, 2999), "1 ms has gone by");
    for _ in 0..3 {
        assert_eq!(next(&mut client).await, (KEEP_ALIVE.to_owned(), 3000));
    }
}

#[tokio::test(start_paused = true)]
async fn the_comment_comes_an_interval_after_the_last_event() {
    let log = EventLog::in_memory(10);
    let (mut client, _) = open(log.feed().keep_alive(Duration::from_secs(3))).await;
    for _ in 0..5 {
        pass(1000).await;
        append(&log).await;
        assert!(next(&mut client).await.0.starts_with("data"));
    }
    assert_eq!(next(&mut client).await, (KEEP_ALIVE.to_owned(), 3000));
}

#[tokio::test(start_paused = true)]
async fn a_busy_stream_sends_no_comment_and_sets_its_timer_once_an_interval() {
    let log = EventLog::in_memory(10);
    let (mut client, clock) = open(log.feed().keep_alive(Duration::from_secs(1))).await;
    for _ in 0..5000 {
        assert!(client.chunk_now().await.is_pending());
        pass(2).await;
        append(&log).await;
        assert_eq!(client.chunk().await.expect("an event").first(), Some(&b'd'));
    }
    let times = clock.times_set();
    assert!((10..=12).contains(&times), "{times} times in ten seconds, with 5000 events");
    assert!(!client.text().contains("keep-alive"));
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_counts_as_a_write() {
    let log = EventLog::in_memory(10);
    let (mut client, clock) = open(log.feed().keep_alive(Duration::from_secs(1))).await;
    for _ in 0..100 {
        assert_eq!(next(&mut client).await.0, KEEP_ALIVE);
    }
    assert!((101..=102).contains(&clock.times_set()), "{}", clock.times_set());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_watches_for_silence_gets_an_event_of_its_own() {
    let log = EventLog::in_memory(10);
    const ALIVE: EventType = EventType::from_static("alive");
    let feed = log.feed().keep_alive(Duration::from_secs(1));
    let (mut client, _) = open(feed.keep_alive_event(ALIVE)).await;
    append(&log).await;
    client.read_until(2).await;
    let event = &client.parsed()[1];
    assert_eq!((event.event_type.as_str(), event.data.as_str()), ("alive", ""));
    assert_eq!(event.last_event_id, client.parsed()[0].last_event_id, "it moves nothing");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_kept_alive_while_its_source_takes_its_time() {
    let script = Script::holding(1..=2);
    script.fetch_is(crate::support::script::Fetch::Hangs);
    let feed = FeedOnce::from(script).keep_alive(Duration::from_secs(2));
    let mut client = Client::resume(feed, "1");
    client.chunk().await;
    assert_eq!(next(&mut client).await, (KEEP_ALIVE.to_owned(), 2000));
    assert_eq!(next(&mut client).await, (KEEP_ALIVE.to_owned(), 2000));
}

#[tokio::test(start_paused = true)]
async fn no_stream_is_without_and_none_has_one_at_every_moment() {
    let log = EventLog::in_memory(10);
    for (asked, given) in [
        (Duration::ZERO, 3_600_000),
        (Duration::from_nanos(1), 1),
        (Duration::MAX, 3_600_000),
        (Duration::from_secs(7), 7000),
    ] {
        let response =
            StreamResponse::new(&request(), log.feed().keep_alive(asked), clock::timer());
        let mut body = response.body;
        let begun = Instant::now();
        for _ in 0..2 {
            let next = futures_util::StreamExt::next(&mut body);
            let chunk = tokio::time::timeout(Duration::from_secs(4000), next).await;
            assert!(matches!(chunk, Ok(Some(Ok(_)))), "within the longest interval");
        }
        assert_eq!(begun.elapsed(), Duration::from_millis(given));
    }
}
