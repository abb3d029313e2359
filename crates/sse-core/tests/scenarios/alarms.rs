//! The keep-alives of the streams of one runtime, for which one future keeps the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, poll_immediate};
use sse_core::{EventLog, EventStream, StreamResponse, Timer};
use tokio::runtime::{Builder, Handle};
use tokio::time::{Instant, advance, sleep, timeout};

use crate::support::client::request;

/// A timer as the adapters have it, which counts the futures that it has started, and those that have not ended.
#[derive(Clone, Default)]
struct Counting {
    started: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
}

impl Counting {
    fn timer(&self) -> Timer {
        let Self { started, running } = self.clone();
        Timer::new(|| Instant::now().into_std(), tokio::time::sleep).shared_within(
            || Handle::try_current().ok().map(|runtime| runtime.id()),
            move |future| {
                started.fetch_add(1, Relaxed);
                running.fetch_add(1, Relaxed);
                let ended = Ended(Arc::clone(&running));
                tokio::spawn(async move {
                    let _ended = ended;
                    future.await;
                });
            },
        )
    }
}

/// Counts down when it is dropped.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

const INTERVAL: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(750);

/// A stream on which nothing happens, after its first line.
async fn idle(timer: &Timer, keep_alive: Duration) -> EventStream {
    let feed = EventLog::in_memory(1).feed().keep_alive(keep_alive);
    let mut body = StreamResponse::new(&request(), feed, timer.clone()).body;
    body.next().await.expect("a first line").expect("no cut");
    body
}

async fn keep_alive(body: &mut EventStream) {
    let chunk = body.next().await.expect("the stream goes on").expect("no cut");
    assert_eq!(chunk, ": keep-alive\n");
}

async fn kept_alive(body: &mut EventStream) {
    timeout(Duration::from_secs(10), keep_alive(body)).await.expect("kept alive");
}

#[tokio::test(start_paused = true)]
async fn each_stream_is_kept_alive_by_one_future_at_most_a_step_late() {
    let counting = Counting::default();
    let timer = counting.timer();
    let stream = |opened: u64| {
        let timer = timer.clone();
        async move {
            sleep(Duration::from_millis(opened)).await;
            let mut body = idle(&timer, INTERVAL).await;
            for _ in 0..3 {
                let before = Instant::now();
                keep_alive(&mut body).await;
                let silent = before.elapsed();
                assert!(INTERVAL <= silent && silent <= INTERVAL + STEP, "{silent:?}");
            }
        }
    };
    join_all((0..1000).map(|n| stream(n * 7))).await;
    assert_eq!(counting.started.load(Relaxed), 1);
    tokio::task::yield_now().await;
    assert_eq!(counting.running.load(Relaxed), 0, "it ends with the last stream");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_writes_is_silent_from_then_on() {
    let log = EventLog::in_memory(1);
    let feed = log.feed().keep_alive(INTERVAL);
    let mut body = StreamResponse::new(&request(), feed, Counting::default().timer()).body;
    body.next().await.expect("a first line").expect("no cut");
    assert!(poll_immediate(body.next()).await.is_none());
    for _ in 0..5 {
        advance(INTERVAL / 2).await;
        log.append_now("an event").expect("stored");
        assert!(body.next().await.expect("an event").expect("no cut").starts_with(b"data: "));
        assert!(poll_immediate(body.next()).await.is_none(), "no keep-alive");
    }
    let before = Instant::now();
    keep_alive(&mut body).await;
    assert!(before.elapsed() >= INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stalls_or_leaves_holds_up_no_other() {
    let counting = Counting::default();
    let timer = counting.timer();
    let mut stalled = idle(&timer, INTERVAL).await;
    assert!(poll_immediate(stalled.next()).await.is_none());
    let mut left = idle(&timer, INTERVAL).await;
    assert!(poll_immediate(left.next()).await.is_none());
    let mut other = idle(&timer, INTERVAL).await;
    assert!(poll_immediate(other.next()).await.is_none());
    drop(left);
    for _ in 0..3 {
        let before = Instant::now();
        keep_alive(&mut other).await;
        assert!(before.elapsed() <= INTERVAL + STEP);
    }
    keep_alive(&mut stalled).await;
    assert_eq!(counting.started.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_interval_need_not_wait_for_a_longer_one() {
    let timer = Counting::default().timer();
    let mut long = idle(&timer, Duration::from_secs(3600)).await;
    assert!(poll_immediate(long.next()).await.is_none());
    sleep(Duration::from_millis(1)).await; // the future waits for the hour
    let mut short = idle(&timer, Duration::from_millis(10)).await;
    let before = Instant::now();
    keep_alive(&mut short).await;
    assert!(before.elapsed() <= Duration::from_millis(12), "{:?}", before.elapsed());
    keep_alive(&mut long).await;
    assert!(before.elapsed() <= Duration::from_secs(3601), "a second late at most");
}

#[test]
fn a_stream_outlives_the_runtime_that_kept_its_time() {
    let timer = Counting::default().timer();
    let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (first, second) = (runtime(), runtime());
    let keep = Duration::from_millis(10);
    let mut moved = first.block_on(async {
        let mut body = idle(&timer, keep).await;
        kept_alive(&mut body).await;
        assert!(poll_immediate(body.next()).await.is_none());
        body
    });
    let mut other = second.block_on(idle(&timer, keep));
    second.block_on(kept_alive(&mut other));
    drop(first);
    second.block_on(async {
        for body in [&mut moved, &mut other] {
            for _ in 0..2 {
                kept_alive(body).await;
            }
        }
    });
}
