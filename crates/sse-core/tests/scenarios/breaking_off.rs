//! A response that is broken off: when, and what its framework may still hold by then.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use sse_core::{Event, EventStream, FeedOnce, Shutdown, StreamContext, StreamResponse, Timer};
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
