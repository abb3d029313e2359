use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use crate::error::StoreLabel;
use crate::log::backing::Backing;
use crate::log::backlog::Backlog;
use crate::log::dedup::IdempotencyKeys;
use crate::log::locked::Locked;
use crate::log::options::StoreOptions;
use crate::log::queue::Queue;
use crate::log::state::State;
use crate::log::subscribers::Subscribers;
use crate::log::tail::Tail;
use crate::observer::Observing;
use crate::store::Store;
use crate::sync::wakers::{Rounds, Wakers};
use crate::sync::{Mutex, PoisonError};
use crate::{Error, Observer, Position, Shutdown, Timer};

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
#[doc(alias("broadcast", "channel", "hub", "publisher", "history"))]
#[derive(Clone)]
pub struct EventLog(pub(super) Arc<Shared>);

impl EventLog {
    pub(crate) fn observer(&self) -> Option<&Observing> {
        self.0.observer.get()
    }

    /// Tells the observer the number and the bytes of events that were appended.
    pub(crate) fn tell_of_appended(&self, size: Option<(usize, usize)>) {
        if let Some((events, bytes)) = size {
            self.tell(|observer| observer.appended(events, bytes));
        }
    }

    /// Calls a method of the observer, if there is one.
    pub(crate) fn tell(&self, call: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = self.observer() {
            observer.tell(call);
        }
    }

    /// Returns the name of the log in its store, if there is one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.store.as_ref().map(|store| store.name())
    }

    /// Returns the name of the log and the address of its store, for an error.
    pub(crate) fn store_label(&self) -> StoreLabel {
        self.0.store.as_ref().map(|store| store.label()).unwrap_or_default()
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

    /// Fails if a stream cannot begin by the times of the events.
    pub(crate) fn check_times(&self) -> Result<(), Error> {
        match &self.0.store {
            Some(store) if !store.keeps_times() => {
                Err(Error::times_unsupported(Some(store.label())))
            }
            None if !self.lock().tail.keeps_times() => Err(Error::times_unsupported(None)),
            _ => Ok(()),
        }
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
    pub(super) observer: OnceLock<Observing>,
    /// True since an append has failed because of the store, until one succeeds.
    pub(super) appends_fail: AtomicBool,
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
        Self {
            state: Mutex::new(state),
            rounds,
            store,
            options,
            timer,
            shutdown: Shutdown::new(),
            observer: OnceLock::new(),
            appends_fail: AtomicBool::new(false),
            queue: Arc::default(),
        }
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
