//! A stream of topics, while other threads append, and change its topics: no event of its own is passed over.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_core::Stream;
use sse_core::{Event, EventLog, LogOptions, Start, StreamResponse, Timer, TopicSet};

use crate::support::client::request;
use crate::support::parser::Parser;
use crate::threads::Over;

const TIME: Duration = Duration::from_secs(1);

/// Returns the position in an id.
fn position(id: &str) -> u64 {
    id.rsplit_once('.').expect("an id of a log").1.parse().expect("a number")
}

/// Returns the timer of a stream whose keep-alive is always due.
fn at_once() -> Timer {
    Timer::new(Instant::now, |_| std::future::ready(()))
}

/// Returns the timer of a stream that has no keep-alive.
fn never() -> Timer {
    Timer::new(Instant::now, |_| std::future::pending())
}

/// A position that the client is told has no event of its own before it that it has not got: else a cut would lose the event.
#[test]
fn a_position_is_told_only_once_all_before_it_was_looked_at() {
    let log = EventLog::in_memory(LogOptions::new().events(1_000_000));
    let mine = TopicSet::new(["mine"]).expect("a topic");
    let feed = log.topics(&mine).expect("in memory").keep_alive(Duration::from_nanos(1));
    let mut body = StreamResponse::new(&request(), feed, at_once()).body;
    let is_over = AtomicBool::new(false);
    let append = |number: usize, topic: &str| {
        let event = Event::new(number.to_string()).topic(topic).expect("a topic");
        log.append_now(event).expect("in memory");
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                append(number, if number % 3 == 0 { "mine" } else { "another's" });
                // Now and then the stream catches up.
                (0..number % 500).for_each(|_| std::hint::spin_loop());
            }
        });
        let _over = Over(&is_over);
        let (begun, mut parser, mut told, mut positions, mut next) =
            (Instant::now(), Parser::default(), 0, 0, 0);
        let mut cx = Context::from_waker(Waker::noop());
        while begun.elapsed() < TIME {
            let Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut body).poll_next(&mut cx) else {
                continue;
            };
            for event in parser.feed(&chunk) {
                let at = position(&event.last_event_id);
                if event.event_type == "position" {
                    positions += 1;
                    assert!(at >= told, "it goes back");
                } else {
                    assert!(at > told, "event {at} came after the client was told to be at {told}");
                    assert_eq!(event.data, next.to_string(), "one was passed over");
                    next += 3;
                }
                told = at;
            }
        }
        assert!(positions > 3, "only {positions} positions");
    });
}

/// An event that is appended after its topic was added arrives, whatever the stream does meanwhile.
#[test]
fn an_event_appended_after_its_topic_was_added_is_not_passed_over() {
    let log = EventLog::in_memory(LogOptions::new().events(1_000_000));
    let mine = TopicSet::new(["mine"]).expect("a topic");
    let mut body =
        StreamResponse::new(&request(), log.topics(&mine).expect("in memory"), never()).body;
    let (is_over, arrived) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut parser, mut cx) = (Parser::default(), Context::from_waker(Waker::noop()));
            while !is_over.load(Ordering::Relaxed) {
                if let Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut body).poll_next(&mut cx) {
                    let events = parser.feed(&chunk).into_iter();
                    let added = events.filter(|event| event.data == "added").count();
                    arrived.fetch_add(added, Ordering::Release);
                }
            }
        });
        let append = |data: &str, topic: &str| {
            let event = Event::new(data).topic(topic).expect("a topic");
            log.append_now(event).expect("in memory");
        };
        let _over = Over(&is_over);
        let begun = Instant::now();
        for round in 1.. {
            if begun.elapsed() > TIME {
                break;
            }
            let topic = format!("room/{}", round % 7);
            append("before", &topic);
            mine.add(&topic, Start::Live).expect("a topic");
            append("added", &topic);
            append("others", "another's");
            let waits = Instant::now();
            while arrived.load(Ordering::Acquire) < round {
                assert!(waits.elapsed() < Duration::from_secs(5), "event {round} was passed over");
                std::hint::spin_loop();
            }
            mine.remove(&topic);
        }
    });
}

/// A set that changes at full speed holds up its stream, and not the thread that polls it.
#[test]
fn a_set_that_never_rests_does_not_keep_a_thread_busy() {
    let log = EventLog::in_memory(100);
    let mine = TopicSet::new(["mine"]).expect("a topic");
    let mut body =
        StreamResponse::new(&request(), log.topics(&mine).expect("in memory"), never()).body;
    let (is_over, polls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                mine.add("room", Start::Live).expect("a topic");
                mine.remove("room");
            }
        });
        scope.spawn(|| {
            let mut cx = Context::from_waker(Waker::noop());
            while !is_over.load(Ordering::Relaxed) {
                _ = Pin::new(&mut body).poll_next(&mut cx);
                polls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _over = Over(&is_over);
        let begun = Instant::now();
        while polls.load(Ordering::Relaxed) < 1000 {
            assert!(begun.elapsed() < Duration::from_secs(20), "a poll does not end");
            thread::sleep(Duration::from_millis(1));
        }
    });
}
