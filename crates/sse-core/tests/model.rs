//! The locks of the core, model-checked: a log that is filled, read and left, a shutdown, a context, in the interleavings that threads can
//! have. A wake-up that is lost leaves a reader waiting for ever, which the checker reports as a deadlock, with the schedule that replays it.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p sse-core --test model --target-dir target/model
//! ```
#![cfg(shuttle)]

use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use shuttle::future::block_on;
use shuttle::thread;
use sse_core::{
    Event, EventLog, EventStream, FeedOnce, LogOptions, Shutdown, Start, StreamContext,
    StreamRequest, StreamResponse, Timer,
};

/// The number of interleavings that are tried if there are too many to try all.
const RANDOM: usize = 20_000;

fn open(log: &EventLog) -> EventStream {
    open_feed(log.feed().start_at(Start::Oldest))
}

fn open_feed(feed: impl Into<FeedOnce>) -> EventStream {
    let timer = Timer::new(Instant::now, |_| std::future::pending());
    StreamResponse::new(&StreamRequest::new("GET", None, []), feed, timer).body
}

/// Two of these fill the first page of a log.
fn append(log: &EventLog, text: &str) {
    let event = Event::new(text).comment("x".repeat(400));
    log.append(event).now_or_never().expect("no waiting in memory").expect("stored");
}

/// The data of so many events, or of all there are where the stream ends.
fn read(mut body: EventStream, count: usize) -> Vec<String> {
    let (mut seen, mut text) = (Vec::new(), String::new());
    while seen.len() < count {
        let Some(Ok(chunk)) = block_on(body.next()) else { break };
        text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        seen = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(str::to_owned)
            .collect();
    }
    seen
}

#[test]
fn a_reader_that_waits_is_woken_in_every_interleaving() {
    let model = || {
        let log = EventLog::in_memory(10);
        let body = open(&log);
        let reader = thread::spawn(move || read(body, 2));
        append(&log, "1");
        append(&log, "2");
        assert_eq!(reader.join().expect("it reads"), ["1", "2"]);
    };
    shuttle::check_dfs(model, None);
}

#[test]
fn a_reader_that_waits_sees_the_end_in_every_interleaving() {
    let model = || {
        let log = EventLog::in_memory(10);
        let body = open(&log);
        let reader = thread::spawn(move || read(body, 2));
        append(&log, "1");
        log.finish().now_or_never().expect("no waiting in memory").expect("nothing fails");
        assert_eq!(reader.join().expect("it reads"), ["1"]);
    };
    shuttle::check_dfs(model, None);
}

#[test]
fn pages_fill_and_are_sealed_while_they_are_read() {
    let model = || {
        let log = EventLog::in_memory(100);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let body = open(&log);
                thread::spawn(move || read(body, 8))
            })
            .collect();
        let other = log.clone();
        let writer = thread::spawn(move || (0..4).for_each(|n| append(&other, &format!("a{n}"))));
        (0..4).for_each(|n| append(&log, &format!("b{n}")));
        writer.join().expect("it writes");
        let seen: Vec<_> =
            readers.into_iter().map(|reader| reader.join().expect("it reads")).collect();
        assert_eq!(seen[0], seen[1], "one order for all");
        for of in ["a", "b"] {
            let of_one: Vec<_> = seen[0].iter().filter(|text| text.starts_with(of)).collect();
            assert_eq!(
                of_one,
                ["0", "1", "2", "3"].map(|n| format!("{of}{n}")).iter().collect::<Vec<_>>()
            );
        }
    };
    shuttle::check_random(model, RANDOM);
    shuttle::check_pct(model, RANDOM, 3);
}

#[test]
fn readers_that_leave_take_no_wake_up_with_them() {
    let model = || {
        let log = EventLog::in_memory(100);
        let (stays, leaves) = (open(&log), open(&log));
        let leaving = thread::spawn(move || drop(read(leaves, 1)));
        let staying = thread::spawn(move || read(stays, 3));
        (0..3).for_each(|n| append(&log, &n.to_string()));
        leaving.join().expect("it leaves");
        assert_eq!(staying.join().expect("it reads"), ["0", "1", "2"]);
        assert_eq!(log.stats().open_streams, 0);
    };
    shuttle::check_random(model, RANDOM);
    shuttle::check_pct(model, RANDOM, 3);
}

#[test]
fn events_that_go_while_they_are_read_are_a_gap_or_have_been_read() {
    let model = || {
        let log = EventLog::in_memory(LogOptions::new().events(1));
        let body = open(&log);
        let reader = thread::spawn(move || read(body, usize::MAX));
        (0..3).for_each(|n| append(&log, &n.to_string()));
        log.finish().now_or_never().expect("no waiting in memory").expect("nothing fails");
        // It begins with what is the oldest when it reads.
        let mut next = None;
        for data in reader.join().expect("it reads") {
            match data.parse::<usize>() {
                Ok(number) => {
                    assert_eq!(number, next.unwrap_or(number), "lost in silence, or repeated");
                    next = Some(number + 1);
                }
                // A reset: it goes on with what is there.
                Err(_) => {
                    let oldest =
                        data.split(r#""oldest":""#).nth(1).and_then(|id| id.split('.').nth(1));
                    let oldest = oldest.and_then(|id| id.split('"').next()).expect("an id");
                    next = Some(oldest.parse::<usize>().expect("a position") - 1);
                }
            }
        }
        assert_eq!(next, Some(3));
    };
    shuttle::check_random(model, RANDOM);
    shuttle::check_pct(model, RANDOM, 3);
}

/// A thread that waits until every stream has ended.
fn waiting(shutdown: &Shutdown) -> thread::JoinHandle<()> {
    let shutdown = shutdown.clone();
    thread::spawn(move || block_on(shutdown.drained()))
}

#[test]
fn a_stream_that_waits_sees_the_shutdown_in_every_interleaving() {
    let model = || {
        let log = EventLog::in_memory(10);
        let body = open(&log);
        let reader = thread::spawn(move || read(body, usize::MAX));
        let waiter = waiting(log.shutdown());
        append(&log, "1");
        log.shutdown().begin();
        let seen = reader.join().expect("it ends");
        assert!(seen.is_empty() || seen == ["1"], "{seen:?}");
        waiter.join().expect("it hears of the end");
        assert_eq!(log.shutdown().open_streams(), 0);
    };
    shuttle::check_random(model, RANDOM);
    shuttle::check_pct(model, RANDOM, 3);
}

/// The clock of the streams stands still, so each ends with the window, which a thread keeps.
#[test]
fn a_drain_ends_the_streams_of_before_and_of_meanwhile_in_every_interleaving() {
    let model = || {
        let log = EventLog::in_memory(10);
        let bodies = [open(&log), open(&log)];
        let readers = bodies.map(|body| thread::spawn(move || read(body, usize::MAX)));
        let waiter = waiting(log.shutdown());
        log.shutdown().drain(Duration::from_secs(10));
        assert!(read(open(&log), usize::MAX).is_empty());
        for reader in readers {
            assert!(reader.join().expect("it ends").is_empty());
        }
        waiter.join().expect("it hears of the end");
        assert!(log.shutdown().has_begun());
        assert_eq!(log.shutdown().open_streams(), 0);
    };
    shuttle::check_random(model, RANDOM);
    shuttle::check_pct(model, RANDOM, 3);
}

/// Sends events, two of which fill a context. Returns the number of those that were taken.
fn send(context: &StreamContext, of: &str, count: usize) -> usize {
    let event = |n| Event::new(format!("{of}{n}")).comment("x".repeat(40_000));
    let sent = (0..count).map(|n| block_on(context.send_event(event(n))));
    sent.take_while(Result::is_ok).count()
}

#[test]
fn senders_that_wait_for_room_and_a_stream_that_waits_for_them_wake_one_another() {
    let model = || {
        let (context, feed) = StreamContext::channel();
        let body = open_feed(feed);
        let reader = thread::spawn(move || read(body, usize::MAX));
        let other = context.clone();
        let sender = thread::spawn(move || send(&other, "a", 3));
        assert_eq!(send(&context, "b", 3), 3);
        drop(context);
        assert_eq!(sender.join().expect("it sends"), 3);
        let seen = reader.join().expect("it reads to the end");
        assert_eq!(seen.len(), 6);
        for of in ["a", "b"] {
            let of_one: Vec<_> = seen.iter().filter(|text| text.starts_with(of)).collect();
            assert_eq!(of_one, [0, 1, 2].map(|n| format!("{of}{n}")).iter().collect::<Vec<_>>());
        }
    };
    shuttle::check_random(model, RANDOM / 4);
    shuttle::check_pct(model, RANDOM / 4, 3);
}

#[test]
fn each_waiter_for_a_client_hears_that_it_has_left_in_every_interleaving() {
    let model = || {
        let (context, feed) = StreamContext::channel();
        let body = open_feed(feed);
        let client = thread::spawn(move || drop(read(body, 1)));
        let watched = context.clone();
        let watcher = thread::spawn(move || block_on(watched.closed()));
        assert!(send(&context, "a", 10) < 10, "they are more than a client takes that leaves");
        client.join().expect("it leaves");
        watcher.join().expect("it hears of it");
    };
    shuttle::check_random(model, RANDOM / 4);
    shuttle::check_pct(model, RANDOM / 4, 3);
}
