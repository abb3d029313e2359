//! A response that is broken off: when, and what its framework may still hold by then.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use sse_core::{
    Event, EventLog, EventStream, EventType, Feed, FeedOnce, Limits, OnGap, Shutdown,
    StreamContext, StreamResponse, Timer,
};
use tokio::time::{Instant, timeout};

use crate::support::client::request;
use crate::support::clock;

/// A stream of one event that fails then.
fn failing() -> FeedOnce {
    let feed = StreamContext::run(|context| async move {
        context.send_event(Event::new("one")).await?;
        Err("the upstream died".into())
    });
    feed.cut_on_error().no_retry()
}

/// The body of this feed, and the chunks that come before it waits.
async fn read(feed: FeedOnce, timer: Timer) -> (EventStream, Vec<Bytes>) {
    let mut body = StreamResponse::new(&request(), feed, timer).body;
    let mut chunks = Vec::new();
    while let Ok(chunk) = timeout(Duration::from_millis(1), body.next()).await {
        chunks.push(chunk.expect("it is broken off, and does not end").expect("not at once"));
    }
    (body, chunks)
}

/// Returns the time until the response is broken off.
async fn cut(body: &mut EventStream) -> Duration {
    let begun = Instant::now();
    let cut = timeout(Duration::from_secs(60), body.next()).await.expect("within a minute");
    assert!(matches!(cut, Some(Err(_))), "{cut:?}");
    assert!(body.next().await.is_none(), "nothing comes after it");
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_response_is_broken_off_a_moment_after_its_last_frame_was_written() {
    let (mut body, chunks) = read(failing(), clock::timer()).await;
    assert_eq!(chunks.concat(), b": ok\ndata: one\n\n: broken off\n");
    let waiting = timeout(Duration::from_secs(20), body.next()).await;
    assert!(waiting.is_err(), "the framework holds what it was given: {waiting:?}");
    drop(chunks);
    let took = cut(&mut body).await;
    assert!((90..=110).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_waits_to_be_broken_off_is_woken_by_the_last_write() {
    let (mut body, mut chunks) = read(failing(), clock::timer()).await;
    let waiting = tokio::spawn(async move { cut(&mut body).await });
    clock::pass(1000).await;
    let last = chunks.pop();
    chunks.clear();
    clock::pass(1000).await;
    assert!(waiting.is_finished(), "its last comment may be lost");
    drop(last);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_delays_the_end_by_half_a_minute_at_most() {
    let (mut body, chunks) = read(failing(), clock::timer()).await;
    let took = cut(&mut body).await;
    assert!((29..=30).contains(&took.as_secs()), "{took:?}");
    drop(chunks);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_response_that_is_broken_off() {
    let shutdown = Shutdown::new();
    let (mut body, chunks) = read(failing().shutdown(&shutdown), clock::timer()).await;
    shutdown.begin();
    assert!(cut(&mut body).await < Duration::from_millis(1));
    assert_eq!(shutdown.open_streams(), 0);
    drop(chunks);
}

/// A framework may lose the whole response if its body begins with an error.
#[tokio::test(start_paused = true)]
async fn a_cut_is_never_the_first_item_and_follows_the_event_of_the_failure() {
    let feed = StreamContext::run(|_| async { Err("at once".into()) });
    let feed = feed.cut_on_error().error_event(|_| Event::new("failed")).no_retry();
    let (mut body, chunks) = read(feed, clock::timer()).await;
    assert_eq!(chunks.concat(), b": ok\ndata: failed\n\n: broken off\n");
    drop(chunks);
    cut(&mut body).await;
}

fn cut_on_goodbye(log: &EventLog) -> Feed {
    log.feed().cut_on_goodbye().goodbye_event(EventType::from_static("goodbye")).no_retry()
}

/// The text of these chunks, with the reconnection time of the goodbye left out.
fn without_times(chunks: &[Bytes]) -> String {
    let text = String::from_utf8(chunks.concat()).expect("frames are UTF-8");
    text.split(|c: char| c.is_ascii_digit()).collect()
}

const GOODBYE: &str = "event: goodbye\nretry: \ndata: {\"retry\":}\n\n: broken off\n";

#[tokio::test(start_paused = true)]
async fn each_goodbye_is_broken_off_once_it_is_written() {
    let log = EventLog::in_memory(1);
    let limited = cut_on_goodbye(&log).limits(&Limits::new().process(0));
    let expired = cut_on_goodbye(&log).longest_life(Duration::from_micros(500));
    let (drained, shut) = (EventLog::in_memory(1), EventLog::in_memory(1));
    let streams = [limited, expired, cut_on_goodbye(&drained), cut_on_goodbye(&shut)];
    for (number, feed) in streams.into_iter().enumerate() {
        let (mut body, mut chunks) = read(feed.into(), clock::timer()).await;
        match number {
            2 => drained.shutdown().drain(Duration::from_secs(20)),
            3 => shut.shutdown().begin(),
            _ => {}
        }
        while !chunks.concat().ends_with(b": broken off\n") {
            let chunk = timeout(Duration::from_secs(21), body.next()).await;
            chunks.push(chunk.expect("in the window").expect("a chunk").expect("no cut"));
        }
        assert_eq!(without_times(&chunks), format!(": ok\n{GOODBYE}"), "{number}");
        let waiting = timeout(Duration::from_secs(8), body.next()).await;
        assert!(waiting.is_err(), "{number}: the framework holds the goodbye: {waiting:?}");
        drop(chunks);
        let took = cut(&mut body).await;
        assert!((90..=110).contains(&took.as_millis()), "{number}: {took:?}");
    }
}

/// Its client must learn when to come back, so what is answered and ended at once is not lost.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_opened_in_the_window_has_its_lines_before_it_is_broken_off() {
    let log = EventLog::in_memory(1);
    let (open, _chunks) = read(cut_on_goodbye(&log).into(), clock::timer()).await;
    log.shutdown().drain(Duration::from_secs(20));
    let (mut late, chunks) = read(cut_on_goodbye(&log).into(), clock::timer()).await;
    assert_eq!(without_times(&chunks), format!(": ok\n{GOODBYE}"));
    drop(chunks);
    let took = cut(&mut late).await;
    assert!((90..=110).contains(&took.as_millis()), "{took:?}");
    assert_eq!(log.shutdown().open_streams(), 1);
    drop(open);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_no_goodbye_is_never_broken_off() {
    let log = EventLog::in_memory(1);
    let feed = || cut_on_goodbye(&log);
    let polled = StreamResponse::new(&request(), feed().ends_when_caught_up(), clock::timer());
    let stopped = StreamResponse::new(&request(), feed().on_gap(OnGap::Stop), clock::timer());
    let finished = StreamResponse::new(&request(), feed(), clock::timer());
    let mut bodies = [polled.body, stopped.body, finished.body];
    for body in &mut bodies {
        assert!(body.next().await.is_some_and(|line| line.is_ok()), "the first line");
    }
    assert!(timeout(Duration::from_secs(1), bodies[1].next()).await.is_err(), "it begins live");
    for event in ["one", "two", "three"] {
        log.append(event).await.expect("a short event is accepted");
    }
    let [polled, stopped, mut finished] = bodies;
    let first = finished.next().await;
    assert!(first.is_some_and(|event| event.is_ok()));
    log.finish().await.expect("nothing fails in memory");
    for body in [polled, stopped, finished] {
        let items = body.collect::<Vec<_>>().await;
        assert!(items.iter().all(Result::is_ok), "{items:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_a_shutdown_ends_is_not_broken_off() {
    let log = EventLog::in_memory(1);
    let (polling, mut chunks) =
        read(cut_on_goodbye(&log).ends_when_caught_up().into(), clock::timer()).await;
    log.shutdown().begin();
    for chunk in polling.collect::<Vec<_>>().await {
        chunks.push(chunk.expect("no cut"));
    }
    let whole = format!(": ok\n{GOODBYE}");
    assert_eq!(without_times(&chunks), whole.trim_end_matches(": broken off\n"));
}
