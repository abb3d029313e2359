//! The memory that the core holds for a reader that has stopped anywhere, in any framework. A target of its own: it counts every allocation of
//! the process.

use std::time::Instant;

use futures_util::{FutureExt, StreamExt};
use sse_core::{EventLog, LogOptions, StreamRequest, StreamResponse, Timer};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const READERS: usize = 1000;
const MOST: usize = 1000;

#[tokio::test]
async fn a_reader_that_has_stopped_is_less_than_a_kilobyte() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let options = LogOptions::new().events(20_000).bytes(usize::MAX);
    let log = EventLog::in_memory(options);
    let mut ids = Vec::new();
    for _ in 0..20_000 {
        ids.push(log.append("x".repeat(1000)).await.expect("it is within the limit"));
    }
    let timer = || Timer::new(Instant::now, |_| std::future::pending::<()>());
    let before = dhat::HeapStats::get().curr_bytes;
    let mut streams = Vec::with_capacity(READERS);
    for id in ids.iter().step_by(10).take(READERS) {
        let id = ("last-event-id", id.as_str().as_bytes());
        let mut stream =
            StreamResponse::new(&StreamRequest::new("GET", None, [id]), &log, timer()).body;
        // The first line, and as much as a framework takes before it is stuck.
        for _ in 0..8 {
            assert!(
                matches!(stream.next().now_or_never(), Some(Some(Ok(chunk))) if !chunk.is_empty())
            );
        }
        streams.push(stream);
    }
    let held = (dhat::HeapStats::get().curr_bytes - before) / READERS;
    println!("{held} bytes a reader");
    assert!(held < MOST, "{held} bytes a reader");
}
