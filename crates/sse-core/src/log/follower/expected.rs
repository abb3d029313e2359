//! The events that a store must still have. They are collected before the store is called, so that later changes do not count as a loss.

use crate::log::backlog::fingerprint::Seen;
use crate::log::handle::EventLog;
use crate::store::{Appended, Bounds, EncodedEvent};
use crate::sync::wakers::wake_all;
use crate::{Epoch, Position};

/// The events that a store has given, or acknowledged.
pub(crate) struct Expected {
    pub(crate) epoch: Epoch,
    newest: Position,
    /// The position up to which the follower has brought all events.
    pub(crate) followed_to: Position,
    is_finished: bool,
    pub(crate) deletions: u64,
    /// The newest events that the store has given, oldest first.
    pub(crate) followed: Vec<Seen>,
    /// The events that may be lost even if the newest is there.
    pub(crate) uncertain: Vec<Seen>,
}

impl Expected {
    /// Returns true if the bounds alone show that the store has lost events, or deletions, or the end of the log.
    pub(crate) fn is_missed_by(&self, bounds: &Bounds) -> bool {
        bounds.epoch == self.epoch
            && (bounds.newest < self.newest
                || bounds.deletions < self.deletions
                || (self.is_finished && !bounds.is_finished))
    }
}

impl EventLog {
    /// Returns the events that the store must have from now on.
    pub(crate) fn expected(&self) -> Option<Expected> {
        let state = self.lock();
        let (epoch, followed_to, mut newest) =
            (state.tail.epoch(), state.tail.newest(), state.newest());
        let backlog = state.backing.stored()?;
        if self.0.store.as_ref().is_some_and(|store| store.shows_at_once()) {
            newest = newest.max(backlog.recent.acknowledged());
        }
        let Bounds { is_finished, deletions, .. } = backlog.bounds;
        let (followed, uncertain) = (backlog.recent.followed(), backlog.recent.uncertain());
        Some(Expected { epoch, newest, followed_to, is_finished, deletions, followed, uncertain })
    }

    /// Ends the doubt before the newest events are checked: a later doubt causes another check.
    pub(crate) fn begin_to_look(&self) {
        self.backlog(|backlog| backlog.recent.end_doubt());
    }

    /// Returns true if the store may have lost events, and must be checked.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.backlog(|backlog| backlog.recent.is_doubtful()).unwrap_or_default()
    }

    /// Returns true if this epoch of the log is over: a store that is in it was restored from a backup.
    pub(crate) fn is_past(&self, epoch: Epoch) -> bool {
        self.backlog(|backlog| backlog.past_epochs.is_past(epoch)).unwrap_or_default()
    }

    /// Returns the known number of deletions of the store.
    pub(crate) fn deletions(&self) -> u64 {
        self.backlog(|backlog| backlog.bounds.deletions).unwrap_or_default()
    }

    /// Records that the store has acknowledged these events, and had this number of deletions before: if it loses them before the follower
    /// brings them, that counts as a loss too.
    pub(crate) fn acknowledge(&self, events: &[EncodedEvent], appended: &Appended, deletions: u64) {
        let Some(newest) = appended.positions.iter().max().copied() else { return };
        // An event with an idempotency key may have been stored before with other content, and be deleted by now.
        let mut new = events.iter().zip(&appended.positions).rev();
        let new = new.find(|(event, _)| event.idempotency_key.is_none());
        let seen = new.map(|(event, position)| Seen::of_new(event, *position, deletions));
        let mut woken = None;
        let mut state = self.lock();
        let (epoch, followed_to) = (state.tail.epoch(), state.tail.newest());
        let Some(backlog) = state.backing.stored_mut() else { return };
        if appended.epoch == epoch {
            backlog.recent.acknowledge(newest);
            if let Some(seen) = seen {
                backlog.recent.expect(seen, followed_to);
            }
        } else {
            // An epoch that this process does not know yet, or one that is over.
            (_, woken) = state.backing.request_check();
        }
        drop(state);
        wake_all(woken);
    }
}
