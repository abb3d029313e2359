//! The follower's changes of the log, each under one lock.

use std::task::Waker;

use crate::log::backlog::{Backlog, Keyless, Request};
use crate::log::follower::fetch::{self, Known};
use crate::log::follower::live::Taken;
use crate::log::handle::EventLog;
use crate::log::state::State;
use crate::log::tail::Dropped;
use crate::store::{Bounds, Page};
use crate::sync::wakers::wake_all;
use crate::{Epoch, Position};

/// The readers to wake, and the memory to free, once the lock is released.
#[derive(Default)]
pub(crate) struct Changes {
    /// True if the readers that wait for the next event must be woken.
    pub(crate) has_news: bool,
    /// True if all readers must be woken, also those that ask for topics.
    pub(crate) is_for_all: bool,
    pub(crate) woken: Vec<Waker>,
    /// The tails to free.
    pub(crate) dropped: Vec<Dropped>,
}

impl EventLog {
    /// Requests that the follower check the bounds.
    pub(crate) fn request_check(&self) {
        self.change(|state, changes| {
            let (_, follower) = state.backing.request_check();
            changes.woken.extend(follower);
        });
    }

    pub(crate) fn is_check_requested(&self) -> bool {
        self.backlog(|backlog| backlog.checks.is_requested()).unwrap_or_default()
    }

    pub(crate) fn begin_check(&self) -> u64 {
        self.backlog(|backlog| backlog.checks.begin()).unwrap_or_default()
    }

    /// Returns the epoch of the log, and the newest position of the tail.
    pub(crate) fn epoch_and_newest(&self) -> (Epoch, Position) {
        let state = self.lock();
        (state.tail.epoch(), state.tail.newest())
    }

    pub(crate) fn end_check(&self, number: u64, bounds: &Bounds) -> Taken {
        self.change(|state, changes| {
            let taken = state.learn(bounds, changes);
            if let Some(backlog) = state.backing.stored_mut() {
                changes.woken.extend(backlog.checks.end(number));
            }
            taken
        })
    }

    /// Takes over the events of a page of `follow`. The store had this number of deletions before the page was read.
    pub(crate) fn take_page(&self, page: &Page, deletions: u64) -> Taken {
        self.change(|state, changes| {
            if page.bounds.epoch == state.tail.epoch() {
                if page.bounds.floor > state.tail.newest() {
                    // The events between are gone: the clients in between are told of a gap.
                    changes.dropped.push(state.tail.skip_to(page.bounds.floor));
                    changes.is_for_all = true;
                }
                state.take_page(page, deletions, self.0.timer.now(), changes);
            }
            state.learn(&page.bounds, changes)
        })
    }

    /// Moves the end of the tail to this position: a page with these bounds shows that there is no event up to it.
    pub(crate) fn advance(&self, newest: Position, bounds: &Bounds) {
        self.change(|state, changes| {
            // Otherwise the store has lost events.
            if bounds.epoch == state.tail.epoch() && bounds.newest >= newest {
                // First learn whether any event is gone.
                state.learn(bounds, changes);
                state.tail.advance(newest);
                if let Some(backlog) = state.backing.stored_mut() {
                    backlog.recent.pass(newest);
                    backlog.recent.end_page(bounds, newest);
                }
                state.learn(bounds, changes);
            }
        });
    }

    /// Returns true if these bounds differ from the known ones. The follower then checks the bounds by itself.
    pub(crate) fn is_news(&self, bounds: &Bounds) -> bool {
        let state = self.lock();
        let Some(backlog) = state.backing.stored() else { return false };
        let known = &backlog.bounds;
        bounds.epoch != state.tail.epoch()
            || bounds.newest > state.tail.newest()
            || (bounds.floor, bounds.oldest) != (known.floor, known.oldest)
            || (bounds.is_finished, bounds.deletions) != (known.is_finished, known.deletions)
    }

    /// Returns the newest position of the tail, and of the store if that is newer.
    pub(crate) fn newest_here_and_stored(&self) -> Option<(Position, Position)> {
        let state = self.lock();
        let (here, stored) = (state.tail.newest(), state.backing.stored()?.bounds.newest);
        (here < stored).then_some((here, stored))
    }

    pub(crate) fn next_request(&self) -> Option<(Request, u64)> {
        self.backlog(Backlog::next_request).flatten()
    }

    pub(crate) fn is_requested(&self, request: &Request, number: u64) -> bool {
        self.backlog(|backlog| backlog.is_requested(request, number)).unwrap_or_default()
    }

    /// Returns the part of the log in which no event has a key, as far as it is known.
    pub(crate) fn keyless(&self) -> (Epoch, Keyless) {
        let state = self.lock();
        let known = state.backing.stored().map(|backlog| backlog.keyless);
        (state.tail.epoch(), known.unwrap_or_default())
    }

    /// Remembers more of the part in which no event has a key, in this epoch.
    pub(crate) fn remember_keyless(&self, keyless: Keyless, epoch: Epoch) {
        let mut state = self.lock();
        let is_here = state.tail.epoch() == epoch;
        if let Some(backlog) = state.backing.stored_mut().filter(|_| is_here)
            && keyless.upto >= backlog.keyless.upto
        {
            backlog.keyless = keyless;
        }
    }

    /// Returns the positions that are known before a page is read.
    pub(crate) fn known(&self) -> Known {
        let state = self.lock();
        Known { base: state.tail.base(), newest: state.newest(), floor: state.floor() }
    }

    /// Takes over a page that was read for a request. Returns false if the page must be read again.
    pub(crate) fn answer(
        &self,
        (request, number): (&Request, u64),
        before: Known,
        page: &fetch::Encoded,
    ) -> bool {
        self.change(|state, changes| {
            let (epoch, newest) = (state.tail.epoch(), state.tail.newest());
            let Some(backlog) = state.backing.stored_mut() else { return false };
            let bounds = page.bounds();
            if bounds.epoch != epoch || bounds.newest < before.newest {
                // Another epoch, or a store that has lost events: the follower finds out which.
                changes.woken.extend(state.backing.request_check().1);
                return false;
            }
            backlog.bounds.raise_floor(bounds);
            changes.woken.extend(backlog.answer(request, number, page.answer(newest)));
            true
        })
    }

    /// Calls this with the log's backlog, under the lock; `None` if the log is in memory. What it returns is dropped after the lock.
    pub(crate) fn backlog<T>(&self, call: impl FnOnce(&mut Backlog) -> T) -> Option<T> {
        self.lock().backing.stored_mut().map(call)
    }

    /// Makes a change under the lock, and wakes the readers once the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut Changes) -> T) -> T {
        let (mut state, mut changes) = (self.lock(), Changes::default());
        let result = change(&mut state, &mut changes);
        let readers = match changes {
            Changes { is_for_all: true, .. } => Some(state.take_all_readers()),
            Changes { has_news: true, .. } => Some(state.take_readers()),
            _ => None,
        };
        drop(state);
        readers.into_iter().for_each(|readers| readers.wake());
        wake_all(changes.woken);
        result
    }
}
