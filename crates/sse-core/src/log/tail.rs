use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::chunk::Entry;
use crate::log::tail::expiry::Ages;
use crate::log::tail::keys::Keys;
use crate::log::tail::page::{OpenPage, Page};
use crate::{Epoch, Position, encode};

mod copy;
pub(crate) mod expiry;
mod index;
mod keys;
pub(crate) mod page;
mod remove;

/// The newest events of a log, as they go out, in pages that all readers share.
///
/// A reader is a position: it takes all that there is after it, in one piece as large as a page.
#[derive(Debug)]
pub(crate) struct Tail {
    epoch: Epoch,
    /// Sealed, oldest first.
    pages: VecDeque<Page>,
    open: OpenPage,
    /// All that the log has after this position is here.
    base: Position,
    newest: Position,
    len: usize,
    /// The size of all events.
    bytes: usize,
    limits: Limits,
    keys: Keys,
    ages: Option<Ages>,
}

/// A tail that is over. It is freed once the lock is released, since it may hold a million events.
#[derive(Debug)]
#[must_use]
#[expect(dead_code, reason = "it is held to be dropped")]
pub(crate) struct Dropped(Box<Tail>);

/// How much is kept. The newest event is, whatever its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What there is after a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// These events, the last of which has this position.
    Events(Bytes, Position),
    /// Nothing yet.
    End,
    /// The event after the position may no longer be here.
    Gone,
}

impl Tail {
    /// One that begins after this position, and keeps this much. Ages are kept by whoever has nothing else that does so.
    pub(crate) fn new(epoch: Epoch, base: Position, limits: Limits, ages: Option<Ages>) -> Self {
        Self {
            epoch,
            pages: VecDeque::new(),
            open: OpenPage::first(),
            base,
            newest: base,
            len: 0,
            bytes: 0,
            limits,
            keys: Keys::default(),
            ages,
        }
    }

    /// Adds an event, given as a block without its id, which comes after all others. Of those with its key it is the only one then.
    pub(crate) fn push(&mut self, position: Position, block: Bytes, key: Option<Arc<str>>) {
        let id = position.id_text(self.epoch);
        if !self.open.has_room_for(block.len()) {
            self.seal();
        }
        if self.open.has_room_for(block.len()) {
            self.bytes += self.open.push(position, &block, &id);
        } else {
            // Larger than a page: one of its own, and not copied.
            let mut whole = BytesMut::from(block);
            encode::id(id.as_bytes(), &mut whole);
            self.bytes += whole.len();
            self.pages.push_back(Page::of_one(position, whole));
            self.open = self.open.following();
        }
        self.newest = position;
        self.len += 1;
        if let Some(superseded) = key.and_then(|key| self.keys.insert(key, position)) {
            self.take_out(superseded);
        }
        while self.len > 1 && (self.len > self.limits.events || self.bytes > self.limits.bytes) {
            self.let_go();
        }
    }

    /// What there is after this position, up to the end of a page.
    pub(crate) fn read(&mut self, after: Position) -> Read {
        if after >= self.newest {
            return Read::End;
        }
        if after < self.base {
            return Read::Gone;
        }
        let page = self.page_after(after);
        if let Some(page) = self.pages.get_mut(page)
            && let Some((bytes, last)) = page.read(after)
        {
            return Read::Events(bytes, last);
        }
        match self.open.read(after) {
            Some((bytes, last)) => Read::Events(bytes, last),
            // What came after it has been deleted.
            None => Read::End,
        }
    }

    /// Adds where the events are in what was read after this position, and ended with the last one.
    pub(crate) fn list(&self, after: Position, last: Position, entries: &mut Vec<Entry>) {
        let page = self.pages.get(self.page_after(after)).map(|page| &page.index);
        page.unwrap_or(&self.open.index).list(after, last, entries);
    }

    /// The key of an event.
    pub(crate) fn key_of(&self, event: Position) -> Option<Arc<str>> {
        self.keys.get(event)
    }

    /// The position after which there are just so many events; the base where there are fewer.
    pub(crate) fn before_last(&self, mut count: usize) -> Position {
        let pages = self.pages.iter().rev().map(|page| &page.index);
        for index in [&self.open.index].into_iter().chain(pages) {
            match index.before_last(count) {
                Some(before) => return before,
                None => count -= index.len(),
            }
        }
        self.base
    }

    /// Drops all, since what follows does not follow on the newest, or to have it read again.
    pub(crate) fn skip_to(&mut self, base: Position) -> Dropped {
        let base = base.max(self.newest);
        let mut ages = self.ages.take();
        if let Some(ages) = &mut ages {
            ages.let_go(base);
        }
        self.replace(Self::new(self.epoch, base, self.limits, ages))
    }

    /// There is no event up to this position.
    pub(crate) fn advance(&mut self, newest: Position) {
        self.newest = self.newest.max(newest);
    }

    /// Another life of the log begins after this position.
    pub(crate) fn begin_epoch(&mut self, epoch: Epoch, base: Position) -> Dropped {
        let ages = self.ages.take().map(Ages::emptied);
        self.replace(Self::new(epoch, base, self.limits, ages))
    }

    fn replace(&mut self, by: Self) -> Dropped {
        Dropped(Box::new(std::mem::replace(self, by)))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// All that the log has after this position is here.
    pub(crate) fn base(&self) -> Position {
        self.base
    }

    /// The position of the oldest event that is kept.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.pages.front().map_or(&self.open.index, |page| &page.index).first()
    }

    /// The position of the newest event.
    pub(crate) fn newest(&self) -> Position {
        self.newest
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first sealed page that has something after this position; their number where none has.
    fn page_after(&self, position: Position) -> usize {
        let is_after_all = |page: &Page| page.index.last().is_none_or(|last| last <= position);
        if self.pages.back().is_none_or(is_after_all) {
            return self.pages.len();
        }
        self.pages.partition_point(is_after_all)
    }

    fn seal(&mut self) {
        let next = self.open.following();
        let page = std::mem::replace(&mut self.open, next).seal();
        self.pages.extend(page);
    }

    /// Drops the oldest event, and its page once that has no other.
    fn let_go(&mut self) {
        let oldest = self.pages.front_mut().map_or(&mut self.open.index, |page| &mut page.index);
        let Some((position, size)) = oldest.let_go() else { return };
        #[cfg(test)]
        crate::log::work::add(1);
        if oldest.len() == 0 {
            self.pages.pop_front();
        }
        self.len -= 1;
        self.bytes -= size;
        self.base = position;
        self.keys.remove(position);
        if let Some(ages) = &mut self.ages {
            ages.let_go(position);
        }
    }
}

#[cfg(test)]
impl Drop for Tail {
    fn drop(&mut self) {
        crate::log::work::add(self.len);
    }
}

#[cfg(test)]
mod tests;
