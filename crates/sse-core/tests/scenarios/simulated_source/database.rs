//! The database of a source. The store and its notifications are two things: an event is stored first and told of later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::{Duration, Instant};

use fastrand::Rng;
use sse_core::{Event, Snapshot};

use crate::support::script;
use crate::support::virtual_clock::VirtualClock;

/// For how long after an event was stored its notification may still come: what the feed is told, or would be.
pub(super) const LATE: Duration = Duration::from_secs(60);

/// Events by number, and who listens. Clones share it.
#[derive(Clone)]
pub(super) struct Database {
    state: Arc<Mutex<State>>,
    pub(super) clock: VirtualClock,
}

pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) newest: u64,
    /// The oldest event that is still there.
    pub(super) oldest: u64,
    /// Stored and not told of yet, each with the latest time at which it is.
    untold: VecDeque<(u64, Instant)>,
    pub(super) listeners: Vec<Arc<Mutex<Listener>>>,
    /// The share of operations that fail, in 256ths.
    pub(super) failures: u8,
    /// The share of events that are large, in 256ths.
    pub(super) large: u8,
    /// True if other threads go on while a query is answered.
    pub(super) is_shared: bool,
    /// The most polls in which a query waits, each time that it does.
    pub(super) slowness: usize,
}

/// A subscription.
pub(super) struct Listener {
    /// The newest event that its client has seen: it is not notified of older ones, as `Source` asks.
    pub(super) seen: u64,
    pub(super) told: VecDeque<u64>,
    /// The failure that follows once its events have been taken, if there is one.
    pub(super) fate: Option<Fate>,
    pub(super) waker: Option<Waker>,
}

#[derive(Clone, Copy)]
pub(super) enum Fate {
    Ends,
    FailsOnce,
    FailsAtEachCall,
}

impl Database {
    pub(super) fn new(rng: Rng) -> Self {
        let state = State {
            rng,
            newest: 0,
            oldest: 1,
            untold: VecDeque::new(),
            listeners: Vec::new(),
            failures: 0,
            large: 0,
            is_shared: false,
            slowness: 4,
        };
        Self { state: Arc::new(Mutex::new(state)), clock: VirtualClock::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    pub(super) fn store(&self) {
        let latest = self.clock.now() + LATE - Duration::from_millis(1);
        let mut state = self.lock();
        state.newest += 1;
        let newest = state.newest;
        state.untold.push_back((newest, latest));
    }

    /// Tells of the next event: whether there was one.
    pub(super) fn notify(&self) -> bool {
        let mut state = self.lock();
        let Some((number, _)) = state.untold.pop_front() else { return false };
        state.listeners.retain(|listener| Arc::strong_count(listener) > 1);
        let mut wakers = Vec::new();
        for listener in &state.listeners {
            let mut listener = listener.lock().expect("not poisoned");
            if number >= listener.seen {
                listener.told.push_back(number);
                wakers.extend(listener.waker.take());
            }
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Stores an event, and tells of it and of all before it.
    pub(super) fn publish(&self) {
        self.store();
        while self.notify() {}
    }

    /// Lets time pass. An event that is told of only then is told of in time.
    pub(super) fn pass(&self, time: Duration) {
        let until = self.clock.now() + time;
        loop {
            let next = self.lock().untold.front().map(|(_, latest)| *latest);
            let Some(latest) = next.filter(|latest| *latest <= until) else { break };
            self.clock.pass(latest.saturating_duration_since(self.clock.now()));
            self.notify();
        }
        self.clock.pass(until.saturating_duration_since(self.clock.now()));
    }

    /// Drops all events but this many, and those that are not told of yet.
    pub(super) fn trim(&self, kept: u64) {
        let mut state = self.lock();
        let oldest = (state.newest + 1).saturating_sub(kept).min(state.next_told());
        state.oldest = state.oldest.max(oldest);
    }

    /// Ends a subscription, in good order or not.
    pub(super) fn hang_up(&self) {
        let mut state = self.lock();
        let fate = [Fate::Ends, Fate::FailsOnce, Fate::FailsAtEachCall][state.rng.usize(..3)];
        let count = state.listeners.len();
        if count == 0 {
            return;
        }
        let listener = state.rng.usize(..count);
        let mut listener = state.listeners[listener].lock().expect("not poisoned");
        listener.fate = Some(fate);
        let waker = listener.waker.take();
        drop(listener);
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Does what other threads might do in the middle of a query.
    pub(super) fn interfere(&self) {
        let mut state = self.lock();
        if !state.is_shared {
            return;
        }
        let (stores, notifies) = (state.rng.u8(..) < 32, state.rng.u8(..) < 48);
        drop(state);
        if stores {
            self.store();
        }
        if notifies {
            self.notify();
        }
    }

    pub(super) fn event(&self, number: u64) -> Event {
        let mut event = script::event(number);
        let large = self.lock().large;
        if large > 0 {
            // The same each time that it is asked for.
            let mut rng = Rng::with_seed(number);
            let size = if rng.u8(..) < large { rng.usize(..100_000) } else { rng.usize(..3000) };
            event.data = Some(format!("{number} {}", "x".repeat(size)));
        }
        event
    }

    /// The state as of this event, in so many parts.
    pub(super) fn snapshot(&self, at: u64, parts: usize) -> Snapshot {
        let padding = if self.lock().large > 0 { 2000 } else { 0 };
        let part = |part| format!("state {at} {part} {parts}{}", " ".repeat(padding));
        let events = (1..=parts).map(part).map(|text| Event::from(text).into()).collect();
        Snapshot { events, at: script::event(at).id.expect("each has one") }
    }
}

impl State {
    /// The number of the event that is told of next.
    pub(super) fn next_told(&self) -> u64 {
        self.untold.front().map_or(self.newest + 1, |(number, _)| *number)
    }

    pub(super) fn has_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    pub(super) fn fails(&mut self) -> bool {
        self.rng.u8(..) < self.failures
    }
}
