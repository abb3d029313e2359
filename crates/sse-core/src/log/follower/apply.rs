//! What the follower does to the log, each step under one lock.

use std::task::Waker;

use crate::log::backlog::{Backlog, Part};
use crate::log::follower::fetch::{self, Known};
use crate::log::follower::live::Taken;
use crate::log::handle::EventLog;
use crate::log::state::State;
use crate::log::tail::Dropped;
use crate::store::{Bounds, Page};
use crate::sync::wakers::wake_all;
use crate::{Epoch, Position};

/// Whom to wake once the lock is released.
#[derive(Default)]
pub(crate) struct Changes {
    /// Whether there is something for those who wait at the end.
    pub(crate) has_news: bool,
    pub(crate) woken: Vec<Waker>,
    /// To be freed then.
    pub(crate) dropped: Vec<Dropped>,
}

impl EventLog {
    /// Has the follower look at the bounds.
    pub(crate) fn want_check(&self) {
        self.change(|state, changes| {
            if let Some(behind) = &mut state.behind {
                behind.checks.want();
                changes.woken.extend(behind.follower());
            }
        });
    }

    pub(crate) fn is_check_wanted(&self) -> bool {
        self.lock().behind.as_ref().is_some_and(|behind| behind.checks.is_wanted())
    }

    pub(crate) fn begin_check(&self) -> u64 {
        self.lock().behind.as_mut().map_or(0, |behind| behind.checks.begin())
    }

    /// Which life of the log it is, and how far it is known here.
    pub(crate) fn epoch_and_newest(&self) -> (Epoch, Position) {
        let state = self.lock();
        (state.tail.epoch(), state.tail.newest())
    }

    pub(crate) fn end_check(&self, number: u64, bounds: &Bounds) -> Taken {
        self.change(|state, changes| {
            let taken = state.learn(bounds, changes);
            if let Some(behind) = &mut state.behind {
                changes.woken.extend(behind.checks.end(number));
            }
            taken
        })
    }

    /// Takes over the events of a page that was followed to. Before it was read the store had so many deletions.
    pub(crate) fn take_page(&self, page: &Page, deletions: u64) -> Taken {
        self.change(|state, changes| {
            if page.bounds.epoch == state.tail.epoch() {
                if page.bounds.floor > state.tail.newest() {
                    // What lies between is gone: whoever was there is told so.
                    changes.dropped.push(state.tail.skip_to(page.bounds.floor));
                    changes.has_news = true;
                }
                state.take_page(page, deletions, self.0.timer.now(), changes);
            }
            state.learn(&page.bounds, changes)
        })
    }

    /// There is no event up to this position, says a page with these bounds: it is where the tail ends now.
    pub(crate) fn advance(&self, newest: Position, bounds: &Bounds) {
        self.change(|state, changes| {
            // Otherwise it has lost the events that it had.
            if bounds.epoch == state.tail.epoch() && bounds.newest >= newest {
                // First whether there was any that is gone.
                state.learn(bounds, changes);
                state.tail.advance(newest);
                if let Some(behind) = &mut state.behind {
                    behind.recent.pass(newest);
                    behind.recent.end_page(bounds, newest);
                }
                state.learn(bounds, changes);
            }
        });
    }

    /// Whether these bounds say what the follower has not brought: it then asks for them by itself.
    pub(crate) fn is_news(&self, bounds: &Bounds) -> bool {
        let state = self.lock();
        let Some(behind) = &state.behind else { return false };
        let known = &behind.bounds;
        bounds.epoch != state.tail.epoch()
            || bounds.newest > state.tail.newest()
            || (bounds.floor, bounds.oldest) != (known.floor, known.oldest)
            || (bounds.is_finished, bounds.deletions) != (known.is_finished, known.deletions)
    }

    /// The newest event here, and in the store, where that has a newer one.
    pub(crate) fn newest_here_and_stored(&self) -> Option<(Position, Position)> {
        let state = self.lock();
        let (here, stored) = (state.tail.newest(), state.behind.as_ref()?.bounds.newest);
        (here < stored).then_some((here, stored))
    }

    pub(crate) fn next_wanted(&self) -> Option<(Part, u64)> {
        self.lock().behind.as_mut().and_then(Backlog::next_wanted)
    }

    pub(crate) fn is_wanted(&self, part: Part, wish: u64) -> bool {
        self.lock().behind.as_ref().is_some_and(|behind| behind.is_wanted(part, wish))
    }

    /// What is known before a page is read.
    pub(crate) fn known(&self) -> Known {
        let state = self.lock();
        Known { base: state.tail.base(), newest: state.newest(), floor: state.floor() }
    }

    /// A page has been read. Returns whether it is an answer.
    pub(crate) fn answer(
        &self,
        (part, wish): (Part, u64),
        before: Known,
        page: &fetch::Encoded,
    ) -> bool {
        self.change(|state, changes| {
            let (epoch, newest) = (state.tail.epoch(), state.tail.newest());
            let Some(behind) = &mut state.behind else { return false };
            let bounds = page.bounds();
            if bounds.epoch != epoch || bounds.newest < before.newest {
                // Another life of the log, or one that has lost events: what it is, the follower finds out.
                behind.checks.want();
                changes.woken.extend(behind.follower());
                return false;
            }
            behind.bounds.raise_floor(bounds);
            changes.woken.extend(behind.answer(part, wish, page.answer(before.base, newest)));
            true
        })
    }

    /// Does this under the lock, and wakes whom it concerns once that is released.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut Changes) -> T) -> T {
        let (mut state, mut changes) = (self.lock(), Changes::default());
        let result = change(&mut state, &mut changes);
        let readers = changes.has_news.then(|| state.readers.take());
        drop(state);
        readers.into_iter().for_each(|readers| readers.wake());
        wake_all(changes.woken);
        result
    }
}
