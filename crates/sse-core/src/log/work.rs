//! A count of the work done under the lock of a log, in events that are written, copied or dropped: a clock would count the machine's noise.
//! Encoding has no place there: the bytes of a page, and those of an event of the application, are made before the lock is taken.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::log::handle::EventLog;
use crate::log::tail::Read;
use crate::{Event, LogOptions, NewEvent, Position, Start, StreamRequest, StreamResponse, Timer};

mod stored;

thread_local! {
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static ALL: Cell<usize> = const { Cell::new(0) };
    static ENCODED: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn begin() {
    IS_HELD.set(true);
    NOW.set(0);
}

pub(super) fn end() {
    IS_HELD.set(false);
    MOST.set(MOST.get().max(NOW.get()));
    ALL.set(ALL.get() + NOW.get());
}

pub(super) fn add(events: usize) {
    if IS_HELD.get() {
        NOW.set(NOW.get() + events);
    }
}

/// Counts events that are encoded.
///
/// # Panics
///
/// If this thread holds the lock of a log.
pub(crate) fn encode(events: usize) {
    assert!(!IS_HELD.get(), "{events} events are encoded under the lock of a log");
    ENCODED.set(ENCODED.get() + events);
}

/// Returns the number of events that this thread encoded while it ran this.
fn encoded(run: impl FnOnce()) -> usize {
    ENCODED.set(0);
    run();
    ENCODED.get()
}

/// Returns the most work that this thread did under any one lock while it ran this.
fn most(run: impl FnOnce()) -> usize {
    MOST.set(0);
    run();
    MOST.get()
}

const MILLION: usize = 1_000_000;
const MANY: usize = 100_000;
/// The most work allowed under one lock: a step, and a page that may have to be compacted.
const BOUND: usize = 3000;

fn log_of(count: usize, keyed: bool, age: Option<Duration>, timer: Timer) -> EventLog {
    let options = LogOptions::new().events(count).bytes(1 << 30).age(age);
    let log = EventLog::in_memory_with(timer, options);
    for number in 0..count {
        let event = NewEvent::from("x");
        let event = match keyed {
            true => event.key(&number.to_string()).expect("a key"),
            false => event,
        };
        log.append_one_here(log.encode(event).expect("it is small")).expect("it is not finished");
    }
    log
}

fn clock() -> (Arc<std::sync::Mutex<Instant>>, Timer) {
    let now = Arc::new(std::sync::Mutex::new(Instant::now()));
    let read = Arc::clone(&now);
    (now, Timer::new(move || *read.lock().expect("not poisoned"), |_| std::future::pending()))
}

#[test]
fn whatever_is_asked_of_a_log_of_a_million_events_holds_its_lock_for_a_few_thousand() {
    let (_, timer) = clock();
    let log = log_of(MILLION, false, None, timer);
    let (epoch, base) = (log.epoch(), log.lock().tail.base());
    let first = base.id(epoch);
    let read = most(|| {
        let frames = log.read_after(&first, usize::MAX).now_or_never().expect("in memory");
        assert!(frames.expect("all is kept").len() > 100_000);
    });
    assert!((1..=BOUND).contains(&read), "reading: {read}");

    let copied = most(|| {
        let to = EventLog::in_memory(10);
        let copied = crate::copy(&log, &to).now_or_never().expect("in memory");
        assert_eq!(copied.expect("all is kept"), MILLION);
    });
    assert!((1..=BOUND).contains(&copied), "copying: {copied}");

    let begun = most(|| log.new_epoch().now_or_never().expect("in memory").expect("an epoch"));
    assert!(begun <= BOUND, "beginning an epoch: {begun}");
}

#[test]
fn the_newest_events_of_a_topic_are_counted_in_steps_however_many_are_asked_for() {
    let (_, timer) = clock();
    let log = EventLog::in_memory_with(timer.clone(), LogOptions::new().events(2 * MANY));
    for number in 0..2 * MANY {
        let event = NewEvent::from("x");
        let topic = if number % 2 == 0 { "mine" } else { "another" };
        let event = log.encode(event.topic(topic).expect("a topic")).expect("it is small");
        log.append_one_here(event).expect("it is not finished");
    }
    let request = StreamRequest::new("GET", None, []);
    for count in [MANY / 2, MANY, usize::MAX] {
        let counted = most(|| {
            let feed = log.topics(["mine"]).expect("a topic").start_at(Start::Last(count));
            let response = StreamResponse::new(&request, feed, timer.clone());
            let text = response.text().now_or_never().expect("in memory");
            assert_eq!(text.matches("data: x\n").count(), count.min(MANY));
        });
        assert!((1..=BOUND).contains(&counted), "the last {count}: {counted}");
    }
}

#[test]
fn what_is_too_old_is_dropped_in_steps() {
    for keyed in [false, true] {
        let (now, timer) = clock();
        let log = log_of(MANY, keyed, Some(Duration::from_secs(1)), timer);
        *now.lock().expect("not poisoned") += Duration::from_secs(2);
        let dropped = most(|| assert_eq!(log.stats().events, 1));
        assert!((1..=BOUND).contains(&dropped), "{dropped}");
    }
}

#[test]
fn a_page_with_holes_is_read_as_it_is_and_not_put_together_for_each_reader() {
    let (_, timer) = clock();
    let log = log_of(MANY, true, None, timer);
    let replay = || {
        let (mut after, mut chunks) = (Position::START, 0);
        loop {
            let read = log.lock_now().tail.read(after);
            let Read::Events(_, last) = read else { break };
            (after, chunks) = (last, chunks + 1);
        }
        chunks
    };
    let whole = replay();
    for number in (0..MANY).step_by(1000) {
        log.append(Event::new("y").key(&number.to_string()).expect("a key"))
            .now_or_never()
            .expect("in memory")
            .expect("new");
    }
    ALL.set(0);
    assert!(replay() <= whole + 102, "a chunk more for each hole");
    // A page is compacted if the events before a hole are hardly worth a chunk.
    let copied = ALL.get();
    assert!(copied < MANY / 4, "{copied} events were copied to read what is there already");
}

#[test]
fn an_event_is_encoded_before_the_log_is_locked() {
    let (_, timer) = clock();
    let log = log_of(10, false, None, timer);
    let count = encoded(|| {
        drop(log.append_now("one").expect("in memory"));
        let appended = log.append_all(["two", "three"]).now_or_never().expect("in memory");
        assert_eq!(appended.expect("stored").len(), 2);
    });
    assert_eq!(count, 3);
}
