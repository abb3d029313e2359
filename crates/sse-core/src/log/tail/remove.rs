//! Removes events from a tail: one that was deleted, and those that are too old.

use std::time::Instant;

use crate::Position;
use crate::log::tail::Tail;
use crate::log::tail::expiry::Expired;
use crate::log::tail::page::PAGE_SIZE;

/// The number of events that are dropped under one lock.
const EXPIRED_AT_ONCE: usize = 1000;

impl Tail {
    /// Notes when the newest event came.
    pub(crate) fn came(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(ages) = &mut self.ages {
            ages.push(self.newest, now());
        }
    }

    /// Drops what is too old by now, some of it.
    pub(crate) fn expire(&mut self, now: impl FnOnce() -> Instant) -> Expired {
        let Some(ages) = &mut self.ages else { return Expired::All };
        let expired = ages.expired(now());
        for _ in 0..EXPIRED_AT_ONCE {
            if self.len <= 1 || self.oldest().is_none_or(|oldest| oldest > expired) {
                return Expired::All;
            }
            self.let_go();
        }
        Expired::Some
    }

    /// Removes an event, and its bytes: nothing of it is kept here.
    pub(crate) fn delete(&mut self, event: Position) {
        self.keys.remove(event);
        if let Some(place) = self.take_out(event) {
            match self.pages.get_mut(place) {
                Some(page) => page.compact(),
                None => self.open.compact(),
            }
        }
    }

    /// Takes an event out from among the others. Where it was in a page that stays, says in which.
    pub(super) fn take_out(&mut self, event: Position) -> Option<usize> {
        let place = self.page_after(event.previous());
        let sealed = self.pages.get_mut(place).and_then(|page| page.take_out(event));
        let size = sealed.or_else(|| self.open.take_out(event))?;
        self.len -= 1;
        self.bytes -= size;
        if sealed.is_none() {
            return Some(self.pages.len());
        }
        if self.pages[place].index.len() == 0 {
            self.pages.remove(place);
            return None;
        }
        Some(self.join(place))
    }

    /// Makes one page of two that have become small, so that there are not many pages of an event or two.
    fn join(&mut self, place: usize) -> usize {
        let Some(before) = place.checked_sub(1) else { return place };
        if self.pages[before].len() + self.pages[place].len() > PAGE_SIZE / 2 {
            return place;
        }
        if let Some(page) = self.pages.remove(place) {
            self.pages[before].absorb(&page);
        }
        before
    }
}
