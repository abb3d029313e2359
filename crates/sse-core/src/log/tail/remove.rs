//! Removing events from a tail: an event that was deleted, and those that are over the limits or too old.

use std::time::{Duration, Instant};

use crate::Position;
use crate::log::tail::Tail;
use crate::log::tail::expiry::Expired;
use crate::log::tail::page::PAGE_SIZE;

/// The number of events that are dropped under one lock.
const EXPIRED_AT_ONCE: usize = 1000;

impl Tail {
    /// Records the time at which the newest event came.
    pub(crate) fn came(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(ages) = &mut self.ages {
            ages.push(self.newest, now());
        }
    }

    /// Returns true if the times of the events are known.
    pub(crate) fn keeps_times(&self) -> bool {
        self.ages.is_some()
    }

    /// Returns the position after which there is everything that came within this time, as far as it is kept; `None` if the times are not known.
    pub(crate) fn before_since(
        &self,
        age: Duration,
        now: impl FnOnce() -> Instant,
    ) -> Option<Position> {
        let ages = self.ages.as_ref()?;
        Some(ages.before_since(age, now()).max(self.base))
    }

    /// Drops some of the events that are too old by now.
    pub(crate) fn expire(&mut self, now: impl FnOnce() -> Instant) -> Expired {
        let limited = self.ages.as_mut().filter(|ages| ages.are_limited());
        let Some(ages) = limited else { return Expired::All };
        let expired = ages.expired(now());
        for _ in 0..EXPIRED_AT_ONCE {
            if self.len <= 1 || self.oldest().is_none_or(|oldest| oldest > expired) {
                return Expired::All;
            }
            self.drop_oldest();
        }
        Expired::Some
    }

    /// Drops the oldest event, and its page if that has no other.
    pub(super) fn drop_oldest(&mut self) {
        let oldest = self.pages.front_mut().map_or(&mut self.open.index, |page| &mut page.index);
        let Some((position, size)) = oldest.drop_first() else { return };
        #[cfg(test)]
        crate::log::work::add(1);
        if oldest.len() == 0 {
            self.pages.pop_front();
        }
        self.len -= 1;
        self.bytes -= size;
        self.base = position;
        self.keys.remove(position);
        if let Some(topics) = &mut self.topics {
            topics.remove(position, true);
        }
        if let Some(ages) = &mut self.ages {
            ages.drop_upto(position);
        }
    }

    /// Removes an event and its bytes from memory.
    pub(crate) fn delete(&mut self, event: Position) {
        self.keys.remove(event);
        if let Some(index) = self.take_out(event) {
            match self.pages.get_mut(index) {
                Some(page) => page.compact(),
                None => self.open.compact(),
            }
        }
    }

    /// Removes an event from among the others. Returns the index of its page if that page stays.
    pub(super) fn take_out(&mut self, event: Position) -> Option<usize> {
        let index = self.page_after(event.previous());
        let sealed = self.pages.get_mut(index).and_then(|page| page.take_out(event));
        let size = sealed.or_else(|| self.open.take_out(event))?;
        self.len -= 1;
        self.bytes -= size;
        if let Some(topics) = &mut self.topics {
            topics.remove(event, false);
        }
        if sealed.is_none() {
            return Some(self.pages.len());
        }
        if self.pages[index].index.len() == 0 {
            self.pages.remove(index);
            return None;
        }
        Some(self.join(index))
    }

    /// Joins a page with the one before it if both have become small, so that there are not many pages of an event or two.
    fn join(&mut self, index: usize) -> usize {
        let Some(before) = index.checked_sub(1) else { return index };
        if self.pages[before].len() + self.pages[index].len() > PAGE_SIZE / 2 {
            return index;
        }
        if let Some(page) = self.pages.remove(index) {
            self.pages[before].absorb(&page);
        }
        before
    }
}
