use std::time::Duration;

use crate::store::Retention;

/// How much a log in memory keeps, and what it accepts. A log over a store has [`StoreOptions`].
///
/// ```
/// use sse_core::{EventLog, LogOptions};
///
/// let log = EventLog::in_memory(LogOptions::new().events(50_000).largest_event(4096));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// How many events are kept; default 1000, at least 1. More than this appended before a client's stream is polled
    /// again is a gap for that client, of which it is told: keep what may come in a burst, and then some.
    pub events: usize,
    /// How many bytes of encoded events are kept; default 64 MiB. The newest event is kept whatever its size. There
    /// are up to an eighth more, three pages of 64 KiB, and 24 bytes for each event; if events have keys, up to as much again, and about 130
    /// bytes for each key.
    pub bytes: usize,
    /// For how long events are kept, to within a thousandth of it; default `None`, for as long as the other limits allow. The newest
    /// event is kept whatever its age. The log looks at ages whenever it is used.
    pub age: Option<Duration>,
    /// The largest event accepted, in bytes when encoded without its id; default 1 MiB, at most 1 GiB.
    pub largest_event: usize,
    /// For how long an idempotency key is remembered: default 2 minutes, though no longer than until more than `events` further keys came. What
    /// becomes of its event does not matter: it may have been dropped, deleted or superseded, and the log be finished. A new epoch forgets all keys.
    pub idempotency_window: Duration,
}

/// How much a log over a store keeps, and what it accepts. A log in memory has [`LogOptions`].
///
/// ```
/// use sse_core::StoreOptions;
///
/// let options = StoreOptions::new().events(10_000);
/// assert_eq!(options.bytes, 1 << 30);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// How many events the store keeps; default 100 000, at least 1. All processes that open a log should say the same: each lets go of what
    /// is over its own limits. How far the limits can be passed, and by whose clock events grow old, each store says for itself.
    pub events: usize,
    /// How many bytes of encoded events the store keeps; default 1 GiB. The newest event is kept whatever its size. What counts as bytes each
    /// store says for itself.
    pub bytes: usize,
    /// For how long the store keeps events; default `None`, for as long as the other limits allow. The newest event is kept whatever its age.
    pub age: Option<Duration>,
    /// The largest event accepted, in bytes when encoded without its id; default 1 MiB, at most 1 GiB.
    pub largest_event: usize,
    /// For how long an idempotency key is remembered: default 2 minutes, though no longer than until more than `events` further keys came. What
    /// becomes of its event does not matter: it may have been dropped, deleted or superseded, and the log be finished. A new epoch forgets all keys.
    pub idempotency_window: Duration,
    /// How many of the newest events are in memory; default 1000.
    pub tail_events: usize,
    /// How many bytes of the newest events are in memory; default 16 MiB.
    pub tail_bytes: usize,
    /// How long one call to the store may take; default 5 s. After that an append has an unknown outcome, and a read is tried again.
    pub store_timeout: Duration,
    /// For how long an append is tried again that has failed for certain, or that has an idempotency key; default 0.
    pub store_wait: Duration,
    /// How often the store is asked whether it has still what it had, also while events come: one call, which reads the newest event.
    /// Default: 30 s; at least 10 ms.
    ///
    /// It is asked besides whenever following begins again, and within a second if its bounds have changed otherwise than by new events.
    /// So a loss for which the engine breaks no connection, as when a server takes over the data of another one, is told to clients within this
    /// time and a second. A follower that the engine does not tell of events is noticed within this time, and begun again 20 s later at the
    /// latest.
    pub store_check: Duration,
}

impl LogOptions {
    /// The same, for what a log over a store has besides: it does not matter in memory.
    pub(crate) fn of_a_log(self) -> StoreOptions {
        let Self { events, bytes, age, largest_event, idempotency_window } = self;
        StoreOptions::new()
            .events(events)
            .bytes(bytes)
            .age(age)
            .largest_event(largest_event)
            .idempotency_window(idempotency_window)
    }
}

impl StoreOptions {
    /// How much is kept.
    pub fn retention(&self) -> Retention {
        Retention { events: self.events.max(1), bytes: self.bytes, age: self.age }
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
}

impl LogOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`events`](field@Self::events).
    #[must_use]
    pub fn events(self, events: usize) -> Self {
        Self { events, ..self }
    }

    /// Sets [`bytes`](field@Self::bytes).
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Sets [`age`](field@Self::age).
    #[must_use]
    pub fn age(self, age: impl Into<Option<Duration>>) -> Self {
        Self { age: age.into(), ..self }
    }

    /// Sets [`largest_event`](field@Self::largest_event).
    #[must_use]
    pub fn largest_event(self, largest_event: usize) -> Self {
        Self { largest_event, ..self }
    }

    /// Sets [`idempotency_window`](field@Self::idempotency_window).
    #[must_use]
    pub fn idempotency_window(self, idempotency_window: Duration) -> Self {
        Self { idempotency_window, ..self }
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
        }
    }
}

impl StoreOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`events`](field@Self::events).
    #[must_use]
    pub fn events(self, events: usize) -> Self {
        Self { events, ..self }
    }

    /// Sets [`bytes`](field@Self::bytes).
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Sets [`age`](field@Self::age).
    #[must_use]
    pub fn age(self, age: impl Into<Option<Duration>>) -> Self {
        Self { age: age.into(), ..self }
    }

    /// Sets [`largest_event`](field@Self::largest_event).
    #[must_use]
    pub fn largest_event(self, largest_event: usize) -> Self {
        Self { largest_event, ..self }
    }

    /// Sets [`idempotency_window`](field@Self::idempotency_window).
    #[must_use]
    pub fn idempotency_window(self, idempotency_window: Duration) -> Self {
        Self { idempotency_window, ..self }
    }

    /// Sets [`tail_events`](field@Self::tail_events).
    #[must_use]
    pub fn tail_events(self, tail_events: usize) -> Self {
        Self { tail_events, ..self }
    }

    /// Sets [`tail_bytes`](field@Self::tail_bytes).
    #[must_use]
    pub fn tail_bytes(self, tail_bytes: usize) -> Self {
        Self { tail_bytes, ..self }
    }

    /// Sets [`store_timeout`](field@Self::store_timeout).
    #[must_use]
    pub fn store_timeout(self, store_timeout: Duration) -> Self {
        Self { store_timeout, ..self }
    }

    /// Sets [`store_wait`](field@Self::store_wait).
    #[must_use]
    pub fn store_wait(self, store_wait: Duration) -> Self {
        Self { store_wait, ..self }
    }

    /// Sets [`store_check`](field@Self::store_check).
    #[must_use]
    pub fn store_check(self, store_check: Duration) -> Self {
        Self { store_check, ..self }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            events: 100_000,
            bytes: 1024 * 1024 * 1024,
            age: None,
            largest_event: 1024 * 1024,
            idempotency_window: Duration::from_secs(120),
            tail_events: 1000,
            tail_bytes: 16 * 1024 * 1024,
            store_timeout: Duration::from_secs(5),
            store_wait: Duration::ZERO,
            store_check: Duration::from_secs(30),
        }
    }
}

impl From<usize> for LogOptions {
    /// The defaults, with this many events kept.
    fn from(events: usize) -> Self {
        Self { events, ..Self::default() }
    }
}
