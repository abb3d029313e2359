//! The memory of a log, for events of any size. A target of its own: it counts every allocation of the process.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use sse_core::{
    Event, EventId, EventLog, Frame, Frames, LogOptions, NewEvent, StreamRequest, StreamResponse,
    Timer, source,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Three pages: one of whose events some are no longer kept, and what the newest has been given and may be copied to.
const PAGES: usize = 3 * 64 * 1024;

/// The most bytes that a key costs beside its own, with its share of tables that have room for twice as many.
const KEY: usize = 200;

/// The most bytes that a topic costs, with its name and an event of it, beside the same event without topics.
const TOPIC: usize = 264;

/// The most bytes that each further event of a topic costs so: its place in the list of the topic, and the lists that it is in.
const PLACE: usize = 96;

#[tokio::test]
async fn a_log_holds_an_eighth_and_three_pages_more_than_it_was_told_to() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let lines = "line\n".repeat(30_000);
    let sizes = [20, 300, 5_000, 22_000, 33_000, 60_000, 70_000, 300_000];
    let texts = sizes.map(|size| "x".repeat(size));
    for text in texts.iter().chain([&lines]) {
        let before = dhat::HeapStats::get().curr_bytes;
        let options = LogOptions::new().events(20_000).bytes(4 << 20);
        let log = EventLog::in_memory(options);
        for _ in 0..((6 << 20) / text.len()).min(40_000) {
            log.append(Event::new(text.as_str())).await.expect("it is within the limit");
        }
        let (held, stats) = (dhat::HeapStats::get().curr_bytes - before, log.stats());
        let promised = stats.bytes + stats.bytes / 8 + PAGES + 24 * stats.events;
        let size = text.len();
        assert!(held <= promised, "events of {size}: {held} held, {promised} promised, {stats:?}");
    }

    // With keys, and after the clients have left that read them.
    for idempotent in [false, true] {
        let before = dhat::HeapStats::get().curr_bytes;
        let events = 20_000;
        let log = EventLog::in_memory(LogOptions::new().events(events));
        for number in 0..3 * events {
            let event = Event::new("x");
            let event = match idempotent {
                // All have one key: each replaces the one before it, and their idempotency keys stay.
                true => {
                    event.key("cpu").and_then(|event| event.idempotency_key(&number.to_string()))
                }
                false => event.key(&number.to_string()),
            };
            log.append(event.expect("short keys")).await.expect("stored");
        }
        let (held, stats) = (dhat::HeapStats::get().curr_bytes - before, log.stats());
        let promised = 2 * stats.bytes + stats.bytes / 8 + PAGES + (24 + KEY) * events;
        assert!(held <= promised, "{held} held, {promised} promised, {stats:?}");
    }

    // By topics: an event of each, then more of each, beside a log of the same events without topics.
    let held_by = async |topics: usize, each: usize, has_topics: bool| {
        let before = dhat::HeapStats::get().curr_bytes;
        let log = EventLog::in_memory(LogOptions::new().events(topics * each));
        for number in 0..topics * each {
            let event = NewEvent::from("x");
            let topic = has_topics.then(|| format!("user/{:07}", number % topics));
            let event = topic.into_iter().try_fold(event, NewEvent::topic).expect("a topic");
            log.append(event).await.expect("stored");
        }
        dhat::HeapStats::get().curr_bytes - before
    };
    let cost =
        async |topics, each| held_by(topics, each, true).await - held_by(topics, each, false).await;
    let one = cost(100_000, 1).await / 100_000;
    let more = (cost(10_000, 3).await - cost(10_000, 1).await) / 20_000;
    assert!(one <= TOPIC && more <= PLACE, "{one} bytes a topic with an event, {more} each more");

    // A client of a source, by what is remembered of its replay, and by nothing once that is forgotten.
    let names = |number: u32| EventId::try_from(format!("event-{number:08}")).expect("an id");
    let missed = move |_| {
        let rows = (0..9_999).map(move |n| Event::new("x").id(names(n)));
        async { Ok(Frames::new(stream::iter(rows.map(Ok::<_, io::Error>)))) }
    };
    let live = || async { Ok(stream::pending::<io::Result<Event>>()) };
    let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"0"[..])]);
    let clock = Arc::new(AtomicU64::new(0));
    let (began, read, slept) = (Instant::now(), Arc::clone(&clock), Arc::clone(&clock));
    let now = move || began + Duration::from_secs(read.load(Ordering::Relaxed));
    let sleep = move |time: Duration| {
        let (slept, due) = (Arc::clone(&slept), slept.load(Ordering::Relaxed) + time.as_secs());
        poll_fn(move |_| match slept.load(Ordering::Relaxed) >= due {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    };
    let before = dhat::HeapStats::get().curr_bytes;
    let mut body = StreamResponse::new(&request, source(missed, live), Timer::new(now, sleep)).body;
    while let Some(chunk) = body.next().now_or_never() {
        chunk.expect("it goes on").expect("it is not broken off");
    }
    let held = dhat::HeapStats::get().curr_bytes - before;
    assert!(held <= 170_000, "{held} bytes for a replay of 9 999");
    clock.store(61, Ordering::Relaxed);
    drop(body.next().now_or_never());
    let held = dhat::HeapStats::get().curr_bytes - before;
    assert!(held <= 4_000, "{held} bytes a minute after the replay");

    // An event that is too large is refused before it is encoded: its lines would be seven times the text.
    let log = EventLog::in_memory(10);
    let lines = Event::new("\n".repeat(1 << 20));
    let (lines, same) = (lines.clone(), lines);
    let before = dhat::HeapStats::get().total_bytes;
    assert!(log.append_now(lines).expect_err("7 MiB").is_too_large());
    assert!(Frame::encode(&same, 1 << 20).expect_err("7 MiB").is_too_large());
    let allocated = dhat::HeapStats::get().total_bytes - before;
    assert!(allocated <= 4_000, "{allocated} bytes to refuse two events");
}
