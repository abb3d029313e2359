use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::log::api::stats::LogStats;
use crate::log::backing::Backing;
use crate::log::backlog::Backlog;
use crate::log::dedup::IdempotencyKeys;
use crate::log::locked::Locked;
use crate::log::options::{LogOptions, StoreOptions};
use crate::log::queue::Queue;
use crate::log::state::State;
use crate::log::subscribers::Subscribers;
use crate::log::tail::expiry::Ages;
use crate::log::tail::topics::TopicIndex;
use crate::log::tail::{Limits, Tail};
use crate::observer::{Observer, Observing};
use crate::store::Store;
use crate::sync::wakers::{Rounds, Wakers};
use crate::sync::{Mutex, PoisonError};
use crate::{Epoch, Position, Shutdown, Timer};

/// An ordered log of events, to append to and to stream from. It keeps the newest events for clients that come back.
///
/// A clone is the same log, and cheap. The log encodes each event once. A client is only a position in the log, so that replay, live
/// delivery and catching up are the same, and a slow client costs the same as a fast one.
///
/// The ids have the form `epoch.position`. They name this log only, so that the log recognizes an id from before a restart.
///
/// ```
/// use sse_core::{Event, EventLog};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let first = log.append(Event::new("one")).await?;
/// let second = log.append(Event::new("two")).await?;
///
/// let missed = log.read_after(&first, 100).await?;
/// assert_eq!(missed.len(), 1);
/// assert_eq!(missed[0].id(), Some(&second));
/// assert_eq!(missed[0].to_event().data.as_deref(), Some("two"));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Clone)]
pub struct EventLog(pub(super) Arc<Shared>);

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
        let options = options.into().of_a_log();
        let limits = Limits {
            events: options.events.max(1),
            bytes: options.bytes,
            topics_required: options.topics_required,
        };
        let epoch = Epoch::random().expect("the system has random numbers");
        let tail = Tail::new(epoch, Position::START, limits, options.age.map(Ages::new));
        Self(Arc::new(Shared::new(tail, None, options, timer)))
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
    pub fn observe(&self, observer: impl Observer) -> bool {
        self.0.observer.set(Observing::new(observer)).is_ok()
    }

    pub(crate) fn observer(&self) -> Option<&Observing> {
        self.0.observer.get()
    }

    /// Tells the observer the number and the bytes of events that were appended.
    pub(crate) fn tell_of_appended(&self, size: Option<(usize, usize)>) {
        if let (Some(observer), Some((events, bytes))) = (self.observer(), size) {
            observer.tell(|observer| observer.appended(events, bytes));
        }
    }

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

    /// Returns the largest position that this log can ever give.
    pub(crate) fn largest_position(&self) -> Position {
        self.0.store.as_ref().map_or(Position::from(u64::MAX), |store| store.largest_position())
    }

    /// Drops the events that are too old, and locks the log. It drops some at a time, so that other threads can take the lock meanwhile.
    pub(super) fn lock_now(&self) -> Locked<'_> {
        loop {
            let mut state = self.lock();
            if state.tail.expire(|| self.0.timer.now()).is_all() {
                return state;
            }
        }
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        self.0.lock()
    }
}

/// The state that the handles of a log share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// The rounds of `state.readers`: a reader sees without the lock that it still waits.
    pub(super) rounds: Rounds,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) options: StoreOptions,
    pub(super) timer: Timer,
    pub(super) shutdown: Shutdown,
    observer: OnceLock<Observing>,
    /// The events appended without waiting for the store.
    pub(super) queue: Arc<Queue>,
}

impl Shared {
    pub(super) fn new(
        tail: Tail,
        store: Option<(Arc<dyn Store>, Backlog)>,
        options: StoreOptions,
        timer: Timer,
    ) -> Self {
        let (store, backlog) = store.unzip();
        let backing = backlog.map_or(Backing::Memory, |backlog| Backing::Store(Box::new(backlog)));
        let readers = Wakers::default();
        let rounds = readers.rounds().clone();
        let state = State {
            tail,
            readers,
            subscribers: Subscribers::default(),
            deletions: 0,
            is_finished: false,
            remembered: IdempotencyKeys::new(options.idempotency_window, options.events.max(1)),
            backing,
        };
        let (state, shutdown, queue) = (Mutex::new(state), Shutdown::new(), Arc::default());
        Self { state, rounds, store, options, timer, shutdown, observer: OnceLock::new(), queue }
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        Locked::new(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Shared {
    /// Ends the follower of the log.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.follower().into_iter().for_each(|follower| follower.wake());
        self.queue.close();
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventLog").field(&self.stats()).finish()
    }
}
