//! What a log holds in memory, whatever the sizes of its events. A target of its own: it counts every allocation of the process.

use sse_core::{Event, EventLog, LogOptions};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Three pages: one of whose events some are no longer kept, and what the newest has been given and may be copied to.
const PAGES: usize = 3 * 64 * 1024;

/// What a key costs beside its own bytes, at the most, with its share of tables that have room for twice as many.
const KEY: usize = 200;

#[tokio::test]
async fn a_log_holds_an_eighth_and_three_pages_more_than_it_was_told_to() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let lines = "line\n".repeat(30_000);
    let sizes = [20, 300, 5_000, 22_000, 33_000, 60_000, 70_000, 300_000];
    let texts = sizes.map(|size| "x".repeat(size));
    for text in texts.iter().chain([&lines]) {
        let before = dhat::HeapStats::get().curr_bytes;
        let options = LogOptions { events: 20_000, bytes: 4 << 20, ..LogOptions::default() };
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
        let log = EventLog::in_memory(LogOptions { events, ..LogOptions::default() });
        for number in 0..3 * events {
            let event = log.encode("x").expect("it is small");
            let event = match idempotent {
                // Of one key: all but the last are replaced, and their idempotency keys stay.
                true => event
                    .with_key("cpu")
                    .and_then(|event| event.with_idempotency_key(&number.to_string())),
                false => event.with_key(&number.to_string()),
            };
            log.append_encoded(vec![event.expect("short keys")]).await.expect("stored");
        }
        let (held, stats) = (dhat::HeapStats::get().curr_bytes - before, log.stats());
        let promised = 2 * stats.bytes + stats.bytes / 8 + PAGES + (24 + KEY) * events;
        assert!(held <= promised, "{held} held, {promised} promised, {stats:?}");
    }
}
