use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::log::api::stats::LogStats;
use crate::log::backlog::Backlog;
use crate::log::dedup::IdempotencyKeys;
use crate::log::locked::Locked;
use crate::log::options::{LogOptions, StoreOptions};
use crate::log::queue::Queue;
use crate::log::state::State;
use crate::log::tail::expiry::Ages;
use crate::log::tail::{Limits, Tail};
use crate::observer::{Observer, Observing};
use crate::store::Store;
use crate::sync::wakers::Wakers;
use crate::sync::{Mutex, PoisonError};
use crate::{Epoch, Position, Shutdown, Timer};

/// What one appends to and streams from: the events of a stream, in order, the newest of them kept for those who come back.
///
/// A cheap handle: a clone is the same log. Each event is encoded once; each client is a position in the log, so that replay,
/// live and catching up after a pause are the same, and a slow client costs what a fast one does.
///
/// The ids it gives are `epoch.position`: they name this log alone, so that an id from before a restart is noticed.
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
    /// A log in memory that keeps this many events: `EventLog::in_memory(1000)`, or [`LogOptions`] for more to choose.
    ///
    /// It lives as long as the process. After a restart every id of before is a gap, and clients are told by a `reset` event.
    ///
    /// # Panics
    ///
    /// If the system has no random numbers ([`Epoch::random`]).
    pub fn in_memory(options: impl Into<LogOptions>) -> Self {
        Self::in_memory_with(Timer::new(Instant::now, |_| std::future::pending()), options)
    }

    /// The same, by another clock than the system's: a paused one, say, to test what [`LogOptions::age`] does.
    ///
    /// # Panics
    ///
    /// As for [`in_memory`](EventLog::in_memory).
    pub fn in_memory_with(timer: Timer, options: impl Into<LogOptions>) -> Self {
        let options = options.into().of_a_log();
        let limits = Limits { events: options.events.max(1), bytes: options.bytes };
        let epoch = Epoch::random().expect("the system has random numbers");
        let tail = Tail::new(epoch, Position::START, limits, options.age.map(Ages::new));
        Self(Arc::new(Shared::new(tail, None, options, timer)))
    }

    /// What ends the streams of this log.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Tells this of what happens to the log in this process, and to the streams of its feeds that have no observer of their own. Returns
    /// false if the log has an observer already: that one stays. To share one, give it as an `Arc`.
    pub fn observe(&self, observer: impl Observer) -> bool {
        self.0.observer.set(Observing::new(observer)).is_ok()
    }

    pub(crate) fn observer(&self) -> Option<&Observing> {
        self.0.observer.get()
    }

    /// Tells the observer of events that were appended, by their number and bytes.
    pub(crate) fn tell_of_appended(&self, size: Option<(usize, usize)>) {
        if let (Some(observer), Some((events, bytes))) = (self.observer(), size) {
            observer.tell(|observer| observer.appended(events, bytes));
        }
    }

    /// Which life of the log it is: what stands before the dot in each id that it gives. Over a store, as far as this process knows.
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

    /// What the log holds at this moment.
    pub fn stats(&self) -> LogStats {
        let state = self.lock_now();
        LogStats {
            open_streams: state.readers.len(),
            events: state.tail.len(),
            bytes: state.tail.bytes(),
            newest: state.tail.newest().id(state.tail.epoch()),
            is_finished: state.is_finished,
            is_followed: state.behind.as_ref().is_none_or(|behind| behind.is_followed),
        }
    }

    /// The largest position that this log can ever give.
    pub(crate) fn largest_position(&self) -> Position {
        self.0.store.as_ref().map_or(Position::from(u64::MAX), |store| store.largest_position())
    }

    /// The log as it is now: without what has become too old, which is dropped some at a time, so that others get on meanwhile.
    pub(super) fn lock_now(&self) -> Locked<'_> {
        loop {
            let mut state = self.lock();
            if state.tail.expire(|| self.0.timer.now()).is_all() {
                return state;
            }
        }
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        Locked::new(self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the handles of a log share.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) options: StoreOptions,
    pub(super) timer: Timer,
    pub(super) shutdown: Shutdown,
    observer: OnceLock<Observing>,
    /// What was appended without waiting for the store.
    pub(super) queue: Arc<Queue>,
}

impl Shared {
    pub(super) fn new(
        tail: Tail,
        store: Option<(Arc<dyn Store>, Backlog)>,
        options: StoreOptions,
        timer: Timer,
    ) -> Self {
        let (store, behind) = store.unzip();
        let state = State {
            tail,
            readers: Wakers::default(),
            deletions: 0,
            is_finished: false,
            remembered: IdempotencyKeys::new(options.idempotency_window, options.events.max(1)),
            behind,
        };
        let (state, shutdown, queue) = (Mutex::new(state), Shutdown::new(), Arc::default());
        Self { state, store, options, timer, shutdown, observer: OnceLock::new(), queue }
    }
}

impl Drop for Shared {
    /// The follower ends with its log.
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
