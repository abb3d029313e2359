use std::time::Duration;

use crate::store::Retention;

/// How much a log keeps, and what it accepts.
///
/// ```
/// use sse_core::{EventLog, LogOptions};
///
/// let log = EventLog::in_memory(LogOptions { events: 50_000, largest_event: 4096, ..LogOptions::default() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// How many events are kept; default 1000, at least 1. In memory, more than this appended before a client's stream is polled
    /// again is a gap for that client, of which it is told: keep what may come in a burst, and then some.
    pub events: usize,
    /// How many bytes of encoded events are kept; default 64 MiB. The newest event is kept whatever its size. In memory there
    /// are up to an eighth more, three pages of 64 KiB, and 24 bytes for each event; if events have keys, up to as much again, and about 130
    /// bytes for each key.
    pub bytes: usize,
    /// For how long events are kept, to within a thousandth of it; default `None`, for as long as the other limits allow. The newest
    /// event is kept whatever its age. In memory, looked at whenever the log is used.
    pub age: Option<Duration>,
    /// The largest event accepted, in bytes when encoded without its id; default 1 MiB, at most 1 GiB.
    pub largest_event: usize,
    /// For how long an idempotency key is remembered; default 2 minutes, and never longer than its event is kept by these limits (or would be, if it was deleted). In memory
    /// at most as many keys are remembered as events are kept.
    pub idempotency_window: Duration,
    /// Over a store: how many of the newest events are in memory; default 1000.
    pub tail_events: usize,
    /// Over a store: how many bytes of the newest events are in memory; default 16 MiB.
    pub tail_bytes: usize,
    /// Over a store: how long one call to it may take; default 5 s. After that an append has an unknown outcome, and a read is tried again.
    pub store_timeout: Duration,
    /// Over a store: for how long an append is tried again that has failed for certain, or that has an idempotency key; default 0.
    pub store_wait: Duration,
    /// Over a store: how often it is asked for what followers may not be told of: a head that moved back, a follower that stalls.
    /// Default 1 s, at least 10 ms.
    pub store_check: Duration,
}

impl LogOptions {
    /// The defaults over a store: 100 000 events, 1 GiB.
    ///
    /// A store is told every 10 s, by every process, to let go of what is over the limits: they may be passed by what is appended in between.
    /// By whose clock events grow old, and what counts as bytes, each store says for itself.
    pub fn for_store() -> Self {
        Self { events: 100_000, bytes: 1024 * 1024 * 1024, ..Self::default() }
    }

    /// The largest event accepted, by the option and its bound.
    pub(crate) fn largest_event_allowed(&self) -> usize {
        const LARGEST: usize = 1 << 30;
        self.largest_event.min(LARGEST)
    }

    /// How often a store is asked, by the option and its bound.
    pub(crate) fn store_check_apart(&self) -> Duration {
        self.store_check.max(Duration::from_millis(10))
    }

    /// How much is kept.
    pub fn retention(&self) -> Retention {
        Retention { events: self.events.max(1), bytes: self.bytes, age: self.age }
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            events: 1000,
            bytes: 64 * 1024 * 1024,
            age: None,
            largest_event: 1024 * 1024,
            idempotency_window: Duration::from_secs(120),
            tail_events: 1000,
            tail_bytes: 16 * 1024 * 1024,
            store_timeout: Duration::from_secs(5),
            store_wait: Duration::ZERO,
            store_check: Duration::from_secs(1),
        }
    }
}

impl From<usize> for LogOptions {
    /// The defaults, with this many events kept.
    fn from(events: usize) -> Self {
        Self { events, ..Self::default() }
    }
}
