use std::sync::Arc;
use std::time::Instant;

use crate::log::handle::{EventLog, Shared};
use crate::log::options::LogOptions;
use crate::log::tail::expiry::Ages;
use crate::log::tail::{Limits, Tail};
use crate::{Epoch, Position, Timer};

impl EventLog {
    /// Returns a log in memory that keeps this many events: `EventLog::in_memory(1000)`. Pass [`LogOptions`] to set more.
    ///
    /// The log lives as long as the process. After a restart every earlier id is a gap, and a `reset` event tells the client.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(2);
    /// for text in ["one", "two", "three"] {
    ///     log.append_now(text)?;
    /// }
    /// assert_eq!(log.stats().events, 2);
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the system has no random numbers ([`Epoch::random`]).
    #[doc(alias("new", "memory"))]
    pub fn in_memory(options: impl Into<LogOptions>) -> Self {
        Self::in_memory_with(Timer::new(Instant::now, |_| std::future::pending()), options)
    }

    /// Returns a log in memory with another clock than the system's, for example a paused one to test [`LogOptions::age`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_core::{EventLog, LogOptions, Timer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let paused = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// let options = LogOptions::new().age(Duration::from_secs(60));
    /// let log = EventLog::in_memory_with(paused, options);
    /// log.append_all(["one", "two"]).await?;
    /// tokio::time::advance(Duration::from_secs(61)).await;
    /// assert_eq!(log.stats().events, 1, "the newest event is kept");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// The same as [`in_memory`](EventLog::in_memory).
    pub fn in_memory_with(timer: Timer, options: impl Into<LogOptions>) -> Self {
        let options = options.into();
        let ages = Ages::of(&options);
        let options = options.of_a_log();
        let limits = Limits {
            events: options.events.max(1),
            bytes: options.bytes,
            topics_required: options.topics_required,
        };
        let epoch = Epoch::random().expect("the system has random numbers");
        let tail = Tail::new(epoch, Position::START, limits, ages);
        Self(Arc::new(Shared::new(tail, None, options, timer)))
    }
}
