// Longer than other files: each option is here with its docs.

use std::time::Duration;

use crate::store::Retention;

/// The options of a log in memory. A log over a store has [`StoreOptions`].
///
/// ```
/// use sse_core::{EventLog, LogOptions};
///
/// let log = EventLog::in_memory(LogOptions::new().events(50_000).largest_event(4096));
/// assert!(log.append_now("x".repeat(4096)).unwrap_err().is_too_large());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// The number of events kept.
    ///
    /// Default: 1000. At least 1.
    ///
    /// Set it above the largest burst: if more events than this are appended before a client's stream is polled again, that client is told
    /// of a gap.
    pub events: usize,
    /// The bytes of encoded events kept.
    ///
    /// Default: 64 MiB. The newest event is kept whatever its size.
    ///
    /// The log uses up to an eighth more memory, three pages of 64 KiB, and 24 bytes for each event; if events have keys, up to as much again,
    /// and about 130 bytes for each key.
    pub bytes: usize,
    /// The time for which events are kept, to within a thousandth of it.
    ///
    /// Default: `None`, as long as the other limits allow. The newest event is kept whatever its age.
    ///
    /// The log checks ages whenever it is used.
    pub age: Option<Duration>,
    /// True if the log knows when each event was appended, so that a stream can begin with [`Start::Since`](crate::Start::Since). With an `age` it
    /// does in any case.
    ///
    /// Default: false.
    ///
    /// It costs a look at the clock for each event, and up to 100 KB. Events that were appended within 1 ms, or within a 500th of the time that all
    /// kept events span, count as one moment.
    pub keeps_times: bool,
    /// The size of the largest event accepted, in bytes, encoded without its id.
    ///
    /// Default: 1 MiB. At most 1 GiB.
    pub largest_event: usize,
    /// The time for which an idempotency key is remembered.
    ///
    /// Default: 2 minutes. The log forgets a key earlier if more than `events` further keys come, or if a new epoch begins.
    ///
    /// The log remembers the key even if its event was dropped, deleted or superseded, or if the log is finished.
    pub idempotency_window: Duration,
    /// True if each event must have a [topic](crate::Topic). The log then refuses an event without one, and streams of topics do not get such
    /// an event, if another program has stored it. Set it if the topics keep the events of users apart: an event whose topic was forgotten
    /// would go to all.
    ///
    /// Default: false.
    pub topics_required: bool,
}

/// The options of a log over a store. A log in memory has [`LogOptions`].
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
    /// The number of events that the store keeps.
    ///
    /// Default: 100 000. At least 1.
    ///
    /// Set the same limits in all processes that open a log, because each drops the events over its own limits. The documentation of each store
    /// says how far the limits can be passed, and by which clock events grow old.
    pub events: usize,
    /// The bytes of encoded events that the store keeps.
    ///
    /// Default: 1 GiB. The newest event is kept whatever its size.
    ///
    /// The documentation of each store says what it counts.
    pub bytes: usize,
    /// The time for which the store keeps events.
    ///
    /// Default: `None`, as long as the other limits allow. The newest event is kept whatever its age.
    pub age: Option<Duration>,
    /// The size of the largest event accepted, in bytes, encoded without its id.
    ///
    /// Default: 1 MiB. At most 1 GiB.
    pub largest_event: usize,
    /// The time for which an idempotency key is remembered.
    ///
    /// Default: 2 minutes. The log forgets a key earlier if more than `events` further keys come, or if a new epoch begins.
    ///
    /// The log remembers the key even if its event was dropped, deleted or superseded, or if the log is finished.
    pub idempotency_window: Duration,
    /// True if each event must have a [topic](crate::Topic). The log then refuses an event without one, and streams of topics do not get such
    /// an event, if another program has stored it. Set it if the topics keep the events of users apart: an event whose topic was forgotten
    /// would go to all.
    ///
    /// Default: false.
    pub topics_required: bool,
    /// The number of the newest events that are in memory.
    ///
    /// Default: 1000.
    pub tail_events: usize,
    /// The bytes of the newest events that are in memory.
    ///
    /// Default: 16 MiB.
    pub tail_bytes: usize,
    /// The longest time that one call to the store may take.
    ///
    /// Default: 5 s. After that an append has an unknown outcome, and a read is tried again.
    pub store_timeout: Duration,
    /// The time for which an append is tried again, if it certainly failed or has an idempotency key.
    ///
    /// Default: 0 s, not at all.
    pub store_wait: Duration,
    /// The interval at which the log checks that the store still has its events, also while events come: one call, which reads the newest event.
    ///
    /// Default: 30 s. At least 10 ms.
    ///
    /// The log also checks whenever following begins again, and within 1 s if the bounds have changed otherwise than by new events.
    /// If the store loses events and the engine breaks no connection, for example because a server takes over the data of another, clients are
    /// told within this interval and 1 s. If the engine does not tell the follower of events, the log notices it within this interval, and
    /// follows again at most 20 s later.
    pub store_check: Duration,
}

impl LogOptions {
    /// Returns these options as those of a log over a store; the additional ones do not matter in memory.
    pub(crate) fn of_a_log(self) -> StoreOptions {
        let Self { events, bytes, age, largest_event, idempotency_window, topics_required, .. } =
            self;
        StoreOptions::new()
            .events(events)
            .bytes(bytes)
            .age(age)
            .largest_event(largest_event)
            .idempotency_window(idempotency_window)
            .topics_required(topics_required)
    }
}

impl StoreOptions {
    /// Returns the limits of the events that the store keeps.
    ///
    /// ```
    /// let options = sse_core::StoreOptions::new().events(0);
    /// assert_eq!(options.retention().events, 1, "the newest event is always kept");
    /// ```
    pub fn retention(&self) -> Retention {
        Retention { events: self.events.max(1), bytes: self.bytes, age: self.age }
    }

    /// Returns the size of the largest event accepted: the option, within its bound.
    pub(crate) fn largest_event_allowed(&self) -> usize {
        const LARGEST: usize = 1 << 30;
        self.largest_event.min(LARGEST)
    }

    /// Returns the interval of the checks of a store: the option, within its bound.
    pub(crate) fn store_check_interval(&self) -> Duration {
        self.store_check.max(Duration::from_millis(10))
    }
}

/// The methods that set options: one for each field, by value.
macro_rules! setters {
    ($options:ident: $($name:ident: $type:ty),+ $(,)?) => {
        impl $options {
            /// Returns the defaults.
            ///
            /// ```
            #[doc = concat!("let options = sse_core::", stringify!($options), "::new();")]
            /// assert_eq!(options.idempotency_window.as_secs(), 120);
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](field@Self::", stringify!($name), ").")]
                #[must_use]
                pub fn $name(self, $name: $type) -> Self {
                    Self { $name: $name.into(), ..self }
                }
            )+
        }
    };
}

setters! {
    LogOptions:
    events: usize,
    bytes: usize,
    age: impl Into<Option<Duration>>,
    keeps_times: bool,
    largest_event: usize,
    idempotency_window: Duration,
    topics_required: bool,
}

setters! {
    StoreOptions:
    events: usize,
    bytes: usize,
    age: impl Into<Option<Duration>>,
    largest_event: usize,
    idempotency_window: Duration,
    topics_required: bool,
    tail_events: usize,
    tail_bytes: usize,
    store_timeout: Duration,
    store_wait: Duration,
    store_check: Duration,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            events: 1000,
            bytes: 64 * 1024 * 1024,
            age: None,
            keeps_times: false,
            largest_event: 1024 * 1024,
            idempotency_window: Duration::from_secs(120),
            topics_required: false,
        }
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
            topics_required: false,
            tail_events: 1000,
            tail_bytes: 16 * 1024 * 1024,
            store_timeout: Duration::from_secs(5),
            store_wait: Duration::ZERO,
            store_check: Duration::from_secs(30),
        }
    }
}

impl From<usize> for LogOptions {
    /// Returns the defaults, with this many events kept.
    fn from(events: usize) -> Self {
        Self { events, ..Self::default() }
    }
}
