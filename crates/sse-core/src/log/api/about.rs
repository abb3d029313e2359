//! What a log tells of itself.

use crate::log::api::stats::LogStats;
use crate::log::handle::EventLog;
use crate::log::tail::topics::TopicIndex;
use crate::observer::{Observer, Observing};
use crate::{Epoch, FollowerState, Shutdown};

impl EventLog {
    /// Returns the epoch of the log: the part before the dot in each id that it gives. Over a store, the epoch that this process knows.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let id = log.append_now("hello")?.wait()?;
    /// assert_eq!(id.epoch(), Some(log.epoch()));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    pub fn epoch(&self) -> Epoch {
        self.lock().tail.epoch()
    }

    /// Returns the size and state of the log at this moment.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// log.append_now("hello")?;
    /// assert_eq!((log.stats().events, log.stats().open_streams), (1, 0));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    #[doc(alias("len", "subscribers", "clients", "connections", "connected"))]
    pub fn stats(&self) -> LogStats {
        let state = self.lock_now();
        LogStats {
            open_streams: state.readers.len(),
            topics: state.tail.topics().map_or(0, TopicIndex::read),
            events: state.tail.len(),
            bytes: state.tail.bytes(),
            newest: state.tail.newest().id(state.tail.epoch()),
            is_finished: state.is_finished,
            is_followed: state.backing.is_followed(),
        }
    }

    /// Returns the shutdown that ends the streams of this log.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// log.shutdown().begin();
    /// assert!(log.clone().shutdown().has_begun());
    /// ```
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Sets the observer of the log in this process, and of the streams of its feeds that have no observer of their own. Returns false if the
    /// log has an observer already: the old one stays. To share one, pass it as an `Arc`.
    ///
    /// ```
    /// struct Metrics;
    /// impl sse_core::Observer for Metrics {}
    ///
    /// let log = sse_core::EventLog::in_memory(1000);
    /// assert!(log.observe(Metrics));
    /// assert!(!log.observe(Metrics), "the first one stays");
    /// ```
    #[doc(alias = "metrics")]
    pub fn observe(&self, observer: impl Observer) -> bool {
        let is_set = self.0.observer.set(Observing::new(observer)).is_ok();
        if is_set && self.0.store.is_some() {
            let is_followed = self.lock().backing.is_followed();
            let state = if is_followed { FollowerState::Running } else { FollowerState::Stopped };
            self.tell(|observer| observer.follower(state));
        }
        is_set
    }
}
