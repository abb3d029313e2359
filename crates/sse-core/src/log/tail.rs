use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::chunk::Entry;
use crate::log::tail::expiry::Ages;
use crate::log::tail::keys::Keys;
use crate::log::tail::page::{OpenPage, Page};
use crate::log::tail::topics::TopicIndex;
use crate::store::Topics;
use crate::{Epoch, Position, encode};

mod copy;
pub(crate) mod expiry;
mod index;
mod keys;
mod merged;
mod of_topics;
pub(crate) mod page;
mod places;
mod remove;
pub(crate) mod topics;

/// The newest events of a log, as they go out, in pages that all readers share.
///
/// A reader is a position: it takes the events after it, in one piece of at most a page.
#[derive(Debug)]
pub(crate) struct Tail {
    epoch: Epoch,
    /// The sealed pages, oldest first.
    pages: VecDeque<Page>,
    open: OpenPage,
    /// The position after which the tail has all events of the log.
    base: Position,
    newest: Position,
    len: usize,
    /// The size of all events.
    bytes: usize,
    limits: Limits,
    keys: Keys,
    /// In a box, because most logs have none.
    ages: Option<Box<Ages>>,
    /// The events of each topic, once there is a topic, or a stream that asks for one.
    topics: Option<Box<TopicIndex>>,
}

/// A tail that is no longer used. The caller frees it once the lock is released, because it may have a million events.
#[derive(Debug)]
#[must_use]
#[expect(dead_code, reason = "it is held to be dropped")]
pub(crate) struct Dropped(Box<Tail>);

/// The limits of a tail. The newest event is kept whatever its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    /// True if each event must have a topic: those without one go to no stream of topics.
    pub(crate) topics_required: bool,
}

/// The result of reading after a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// These events, and the position of the last.
    Events(Bytes, Position),
    /// No event yet.
    End,
    /// The tail may have dropped the event after the position.
    Gone,
}

impl Tail {
    /// Returns a tail that begins after this position, and keeps this much. Only a log in memory passes ages: a store drops old events itself.
    pub(crate) fn new(
        epoch: Epoch,
        base: Position,
        limits: Limits,
        ages: Option<Box<Ages>>,
    ) -> Self {
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
            topics: None,
        }
    }

    /// Adds an event after all others, as a block without its id. Removes the older event with its key.
    pub(crate) fn push(
        &mut self,
        position: Position,
        block: Bytes,
        key: Option<Arc<str>>,
        topics: &Topics,
    ) {
        #[cfg(test)]
        crate::log::work::add(1);
        if !topics.is_empty() || self.topics.is_some() {
            self.topic_index().push(position, topics);
        }
        let id = position.id_text(self.epoch);
        if !self.open.has_room_for(block.len()) {
            self.seal();
        }
        if self.open.has_room_for(block.len()) {
            self.bytes += self.open.push(position, &block, &id);
        } else {
            // An event larger than a page has a page of its own, and is not copied.
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
            self.drop_oldest();
        }
    }

    /// Returns the events after this position, up to the end of a page.
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
            // The events after it have been deleted.
            None => Read::End,
        }
    }

    /// Adds the offsets of the events in a piece that was read after this position, and that ends with the last one.
    pub(crate) fn list(&self, after: Position, last: Position, entries: &mut Vec<Entry>) {
        let page = self.pages.get(self.page_after(after)).map(|page| &page.index);
        page.unwrap_or(&self.open.index).list(after, last, entries);
    }

    /// Returns the key of an event.
    pub(crate) fn key_of(&self, event: Position) -> Option<Arc<str>> {
        self.keys.get(event)
    }

    /// Drops all events, because the next event does not follow the newest, or because all must be read again.
    pub(crate) fn skip_to(&mut self, base: Position) -> Dropped {
        let (is_known, base) = (base <= self.newest, base.max(self.newest));
        let mut ages = self.ages.take();
        if let Some(ages) = &mut ages {
            ages.drop_upto(base);
        }
        let empty = if is_known { TopicIndex::forgotten } else { TopicIndex::emptied };
        let topics = self.topics.as_ref().map(|topics| empty(topics, base));
        self.replace(Self::new(self.epoch, base, self.limits, ages), topics)
    }

    /// Moves the end to this position: there is no event up to it.
    pub(crate) fn advance(&mut self, newest: Position) {
        self.newest = self.newest.max(newest);
    }

    /// Begins a new epoch after this position.
    pub(crate) fn begin_epoch(&mut self, epoch: Epoch, base: Position) -> Dropped {
        let ages = self.ages.take().map(|ages| Box::new(ages.emptied()));
        let topics = self.topics.as_ref().map(|topics| topics.emptied(base));
        self.replace(Self::new(epoch, base, self.limits, ages), topics)
    }

    fn replace(&mut self, mut by: Self, topics: Option<TopicIndex>) -> Dropped {
        by.topics = topics.map(Box::new);
        Dropped(Box::new(std::mem::replace(self, by)))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the position after which the tail has all events of the log.
    pub(crate) fn base(&self) -> Position {
        self.base
    }

    /// Returns the position of the oldest event that is kept.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.pages.front().map_or(&self.open.index, |page| &page.index).first()
    }

    /// Returns the position of the newest event.
    pub(crate) fn newest(&self) -> Position {
        self.newest
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the index of the first sealed page that has an event after this position, or their number if there is none.
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
}

#[cfg(test)]
impl Drop for Tail {
    fn drop(&mut self) {
        crate::log::work::add(self.len);
    }
}

#[cfg(test)]
mod tests;
