//! Taking the pages and bounds of a store into the state of the log.

use std::time::Instant;

use crate::log::follower::apply::Changes;
use crate::log::follower::live::Taken;
use crate::log::state::State;
use crate::store::{Bounds, Page, StoredEvent};

impl State {
    /// Takes over the events of a page. The store had this number of deletions before the page was read.
    pub(crate) fn take_page(
        &mut self,
        page: &Page,
        deletions: u64,
        now: Instant,
        changes: &mut Changes,
    ) {
        if let Some(backlog) = self.backing.stored_mut()
            && !page.events.is_empty()
        {
            backlog.recent.begin_page(now);
        }
        let mut left = page.events.len();
        for event in &page.events {
            left -= 1;
            changes.has_news |= self.take(event, deletions, left);
        }
        let Some(backlog) = self.backing.stored_mut() else { return };
        backlog.recent.end_page(&page.bounds, self.tail.newest());
        if backlog.bounds.deletions != deletions {
            // Events were deleted while the page was on its way, perhaps some of these.
            self.forget_held(changes);
        }
    }

    /// Drops all events in memory, to read them again, because some were deleted.
    fn forget_held(&mut self, changes: &mut Changes) {
        changes.dropped.push(self.tail.skip_to(self.tail.newest()));
        self.deletions += 1;
        changes.woken.extend(self.backing.forget_pages());
    }

    /// Takes over an event, if it is new. `more` events follow in the same page.
    fn take(&mut self, event: &StoredEvent, deletions: u64, more: usize) -> bool {
        let Some(backlog) = self.backing.stored_mut() else { return false };
        if event.position <= self.tail.newest() {
            return false;
        }
        if backlog.take_deleted(event.position) {
            self.tail.advance(event.position);
            return true;
        }
        backlog.recent.follow(event, deletions, more);
        self.push(event.position, event.block.clone(), event.key.clone(), &event.topics);
        true
    }

    /// Takes over the bounds of the store.
    pub(crate) fn learn(&mut self, bounds: &Bounds, changes: &mut Changes) -> Taken {
        let Some(backlog) = self.backing.stored_mut() else { return Taken::UpToDate };
        if bounds.epoch != self.tail.epoch() {
            if backlog.past_epochs.is_past(bounds.epoch) {
                return Taken::NotFollowing;
            }
            changes.is_for_all = true;
            changes.woken.extend(backlog.begin_epoch(self.tail.epoch(), *bounds));
            changes.dropped.push(self.tail.begin_epoch(bounds.epoch, bounds.newest));
            self.is_finished = bounds.is_finished;
            return Taken::NotFollowing;
        }
        if bounds.newest < self.tail.newest() {
            return Taken::NotFollowing;
        }
        if bounds.deletions != backlog.bounds.deletions {
            // Events in memory may have been deleted.
            self.forget_held(changes);
        }
        let Some(backlog) = self.backing.stored_mut() else { return Taken::UpToDate };
        if backlog.bounds.is_unlike(bounds) {
            backlog.recent.doubt();
        }
        backlog.bounds.follow_on(bounds);
        let known = backlog.bounds;
        if known.floor > self.tail.newest() {
            changes.dropped.push(self.tail.skip_to(known.floor));
            changes.is_for_all = true;
        }
        let is_behind = self.tail.newest() < known.newest;
        if known.is_finished && !is_behind && !self.is_finished {
            self.is_finished = true;
            changes.is_for_all = true;
        }
        if is_behind { Taken::Behind } else { Taken::UpToDate }
    }
}

impl Bounds {
    pub(crate) fn raise_floor(&mut self, other: &Self) {
        if other.floor > self.floor {
            (self.floor, self.oldest) = (other.floor, other.oldest);
        }
    }

    /// Returns true if other bounds of the same epoch, which may be older, may show that the store has lost events.
    fn is_unlike(&self, other: &Self) -> bool {
        other.deletions != self.deletions
            || other.newest < self.newest
            || other.floor < self.floor
            || (self.is_finished && !other.is_finished)
    }

    /// Merges other bounds of the same epoch, which may be older: a page may be on its way while the bounds are requested.
    fn follow_on(&mut self, other: &Self) {
        if other.floor >= self.floor {
            (self.floor, self.oldest) = (other.floor, other.oldest);
        }
        self.newest = self.newest.max(other.newest);
        self.is_finished |= other.is_finished;
        self.deletions = self.deletions.max(other.deletions);
    }
}
