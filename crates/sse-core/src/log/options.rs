/// How much a log keeps, and what it accepts.
///
/// ```
/// use sse_core::{EventLog, LogOptions};
///
/// let log = EventLog::in_memory(LogOptions { events: 50_000, largest_event: 4096, ..LogOptions::default() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// How many events are kept; default 1000, at least 1. More than this appended before a client's stream is polled again is a
    /// gap for that client, of which it is told: keep what may come in a burst, and then some.
    pub events: usize,
    /// How many bytes of encoded events are kept; default 64 MiB. The newest event is kept whatever its size. In memory there
    /// are up to an eighth more, three pages of 64 KiB, and 8 bytes for each event.
    pub bytes: usize,
    /// The largest event accepted, in bytes when encoded without its id; default 1 MiB.
    pub largest_event: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { events: 1000, bytes: 64 * 1024 * 1024, largest_event: 1024 * 1024 }
    }
}

impl From<usize> for LogOptions {
    /// The defaults, with this many events kept.
    fn from(events: usize) -> Self {
        Self { events, ..Self::default() }
    }
}
