//! Events of other threads are not missed: each handover either finds the event or is woken for it.

use std::hint;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_core::Stream;
use futures_util::FutureExt;
use sse_core::{
    Event, EventLog, EventStream, FeedOnce, NewEvent, Start, StreamContext, StreamResponse, Timer,
};

use crate::support::client::request;
use crate::support::parser::{Parsed, Parser};
use crate::support::wakes::Wakes;

/// The number of rounds; fewer if the machine is busy with other things.
const ROUNDS: usize = 40_000;
const TIME: Duration = Duration::from_secs(3);
/// The most time that anything may take beside other threads.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a feed on a thread of its own while this thread sends, each event about when the reader begins to wait for it.
///
/// Both spin, since a thread that sleeps comes long after the moment that matters.
#[track_caller]
fn check(feed: impl Into<FeedOnce>, send: impl Fn(usize)) {
    // Opened before the first event, since a first visit begins at the end.
    let (body, _) = open(feed);
    let (arrived, is_over) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
    let reader = thread::spawn({
        let (arrived, is_over) = (Arc::clone(&arrived), Arc::clone(&is_over));
        move || read(body, &arrived, &is_over)
    });
    let begun = Instant::now();
    for round in (1..=ROUNDS).take_while(|_| begun.elapsed() < TIME) {
        send(round);
        let has_arrived = spin_until(|| arrived.load(Ordering::Acquire) >= round);
        assert!(has_arrived, "event {round} was sent, and its reader not woken");
    }
    is_over.store(true, Ordering::Relaxed);
    reader.join().expect("all arrived");
}

fn read(mut body: EventStream, arrived: &AtomicUsize, is_over: &AtomicBool) {
    let (mut parser, wakes) = (Parser::default(), Wakes::new());
    let waker = wakes.waker();
    let mut random = fastrand::Rng::with_seed(7);
    while !is_over.load(Ordering::Relaxed) {
        // Now this thread is the earlier one, now the other.
        (0..random.u32(..200)).for_each(|_| hint::spin_loop());
        match Pin::new(&mut body).poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(Ok(chunk))) => {
                arrived.fetch_add(parser.feed(&chunk).len(), Ordering::Release);
            }
            Poll::Ready(end) => panic!("it ended: {end:?}"),
            Poll::Pending => {
                spin_until(|| wakes.take() > 0 || is_over.load(Ordering::Relaxed));
            }
        }
    }
}

/// Returns true if the condition held within 5 s.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    for spins in 1_u64.. {
        if condition() {
            return true;
        }
        if spins % 64 == 0 {
            if begun.elapsed() > Duration::from_secs(5) {
                return false;
            }
            thread::yield_now();
        }
        hint::spin_loop();
    }
    false
}

#[test]
fn an_event_appended_while_a_client_begins_to_wait_arrives() {
    let log = EventLog::in_memory(100);
    check(log.feed(), |round| {
        let appended = log.append(Event::new(round.to_string())).now_or_never();
        appended.expect("no waiting in memory").expect("stored");
    });
}

#[test]
fn an_event_sent_while_its_client_begins_to_wait_arrives() {
    let (context, feed) = StreamContext::channel();
    check(feed, |round| {
        let sent = context.send_event(Event::new(round.to_string())).now_or_never();
        sent.expect("there is room").expect("there is a client");
    });
}

/// Ends the other threads, also if this one panics.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs this beside a thread that appends to the log without a pause: events of a topic of their own.
///
/// The lock of a log is not fair, and need not be: a thread that waits for it gets it soon enough.
#[track_caller]
fn beside_a_flood(log: &EventLog, run: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = Over(&is_over);
        scope.spawn(|| {
            let flood = NewEvent::from("flood").topic("flood").expect("a topic");
            while !is_over.load(Ordering::Relaxed) {
                log.append_now(flood.clone()).expect("in memory");
            }
        });
        let begun = Instant::now();
        run();
        assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
        drop(over);
    });
}

/// Polls a stream of a busy log until it gives events, and returns them.
#[track_caller]
fn next_events(body: &mut EventStream, parser: &mut Parser) -> Vec<Parsed> {
    let begun = Instant::now();
    loop {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut *body).poll_next(&mut cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                let events = parser.feed(&chunk);
                if !events.is_empty() {
                    return events;
                }
            }
            Poll::Ready(end) => panic!("it ended: {end:?}"),
            Poll::Pending => thread::yield_now(),
        }
        assert!(begun.elapsed() < PATIENCE, "it gets no event");
    }
}

fn open(feed: impl Into<FeedOnce>) -> (EventStream, Parser) {
    let timer = Timer::new(Instant::now, |_| std::future::pending());
    (StreamResponse::new(&request(), feed, timer).body, Parser::default())
}

#[test]
fn a_thread_that_appends_without_a_pause_starves_no_other_that_appends_or_asks() {
    let log = EventLog::in_memory(1000);
    beside_a_flood(&log, || {
        for _ in 0..500 {
            log.append_now("one of few").expect("in memory");
            assert!(log.stats().events > 0);
        }
    });
}

#[test]
fn a_thread_that_appends_without_a_pause_starves_no_stream() {
    let log = EventLog::in_memory(1000);
    beside_a_flood(&log, || {
        let (mut body, mut parser) = open(log.feed());
        for _ in 0..500 {
            next_events(&mut body, &mut parser);
        }
    });
}

#[test]
fn a_thread_that_appends_without_a_pause_starves_no_first_visit() {
    let log = EventLog::in_memory(1000);
    beside_a_flood(&log, || {
        for start in [Start::Live, Start::Oldest, Start::Last(5)].iter().cycle().take(300) {
            let (mut body, mut parser) = open(log.feed().start_at(start.clone()));
            let events = next_events(&mut body, &mut parser);
            // One that begins live can be behind by the time it reads.
            let may_be_reset = matches!(start, Start::Live);
            assert!(may_be_reset || events[0].event_type == "message", "{start:?}: {events:?}");
        }
    });
}

#[test]
fn a_thread_that_appends_without_a_pause_starves_no_stream_of_other_topics() {
    let log = EventLog::in_memory(1000);
    beside_a_flood(&log, || {
        let (mut body, mut parser) = open(log.topics(["mine"]).expect("in memory"));
        let mut own = 0;
        for _ in 0..500 {
            log.append_now(NewEvent::from("own").topic("mine").expect("a topic")).expect("room");
            // A `reset` if the log has dropped it meanwhile: then it is the next.
            let events = next_events(&mut body, &mut parser);
            own += events.iter().filter(|event| event.data == "own").count();
        }
        assert!(own > 0, "it gets resets and nothing else");
    });
}
