//! What a store must have still: asked for before the store is, so that what happens meanwhile is no loss.

use crate::log::backlog::fingerprint::Seen;
use crate::log::handle::EventLog;
use crate::store::{Appended, Bounds, EncodedEvent};
use crate::sync::wakers::wake_all;
use crate::{Epoch, Position};

/// What a store has given, or acknowledged.
pub(crate) struct Expected {
    pub(crate) epoch: Epoch,
    newest: Position,
    /// The follower has brought all up to here.
    pub(crate) followed_to: Position,
    is_finished: bool,
    pub(crate) deletions: u64,
    /// The newest events that it has given, oldest first.
    pub(crate) followed: Vec<Seen>,
    /// Others that may be lost though the newest is there.
    pub(crate) uncertain: Vec<Seen>,
}

impl Expected {
    /// Whether the store has lost events, or deletions, or the end of the log, by its bounds alone.
    pub(crate) fn is_missed_by(&self, bounds: &Bounds) -> bool {
        bounds.epoch == self.epoch
            && (bounds.newest < self.newest
                || bounds.deletions < self.deletions
                || (self.is_finished && !bounds.is_finished))
    }
}

impl EventLog {
    /// What the store must have from now on.
    pub(crate) fn expected(&self) -> Option<Expected> {
        let state = self.lock();
        let (epoch, followed_to, mut newest) =
            (state.tail.epoch(), state.tail.newest(), state.newest());
        let behind = state.behind.as_ref()?;
        if self.0.store.as_ref().is_some_and(|store| store.shows_at_once()) {
            newest = newest.max(behind.recent.acknowledged());
        }
        let Bounds { is_finished, deletions, .. } = behind.bounds;
        let (followed, uncertain) = (behind.recent.followed(), behind.recent.uncertain());
        Some(Expected { epoch, newest, followed_to, is_finished, deletions, followed, uncertain })
    }

    /// The newest events are looked at now: whatever comes to be doubted from here on is looked into again.
    pub(crate) fn begin_to_look(&self) {
        if let Some(behind) = &mut self.lock().behind {
            behind.recent.end_doubt();
        }
    }

    /// Whether it is to be looked for what the store has lost.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.lock().behind.as_ref().is_some_and(|behind| behind.recent.is_doubtful())
    }

    /// Whether this epoch of the log is over: a store that is of it is a backup of an earlier life.
    pub(crate) fn is_past(&self, epoch: Epoch) -> bool {
        self.lock().behind.as_ref().is_some_and(|behind| behind.strangers.is_past(epoch))
    }

    /// How many deletions the store is known to have had.
    pub(crate) fn deletions(&self) -> u64 {
        self.lock().behind.as_ref().map_or(0, |behind| behind.bounds.deletions)
    }

    /// The store has acknowledged these events, before which it had so many deletions: if it loses them before they were followed to,
    /// that is a loss all the same.
    pub(crate) fn acknowledge(&self, events: &[EncodedEvent], appended: &Appended, deletions: u64) {
        let Some(newest) = appended.positions.iter().max().copied() else { return };
        // An event with an idempotency key may have been stored before, and otherwise, and be deleted by now.
        let mut new = events.iter().zip(&appended.positions).rev();
        let new = new.find(|(event, _)| event.idempotency_key.is_none());
        let seen = new.map(|(event, position)| Seen::of_new(event, *position, deletions));
        let mut woken = None;
        let mut state = self.lock();
        let (epoch, followed_to) = (state.tail.epoch(), state.tail.newest());
        let Some(behind) = &mut state.behind else { return };
        if appended.epoch == epoch {
            behind.recent.acknowledge(newest);
            if let Some(seen) = seen {
                behind.recent.expect(seen, followed_to);
            }
        } else {
            // A life of the log that this process does not know yet, or one that is over.
            behind.checks.want();
            woken = behind.follower();
        }
        drop(state);
        wake_all(woken);
    }
}
