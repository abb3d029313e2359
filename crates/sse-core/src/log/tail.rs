use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::cursor::{Cursor, Epoch};
use crate::encode;
use crate::log::page::{OpenPage, Page};

/// The newest events of a log, as they go out, in pages that all readers share.
///
/// A reader is a cursor: it takes all that there is after it, in one piece as large as a page.
#[derive(Debug)]
pub(crate) struct Tail {
    epoch: Epoch,
    /// Sealed, oldest first.
    pages: VecDeque<Page>,
    open: OpenPage,
    oldest: Cursor,
    newest: Cursor,
    /// The size of all events from the oldest on.
    bytes: usize,
    limits: Limits,
}

/// How much is kept. The newest event is, whatever its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What there is after a cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// These events, the last of which has this position.
    Events(Bytes, Cursor),
    /// Nothing yet.
    End,
    /// The event after the cursor is no longer here.
    Gone,
}

impl Tail {
    pub(crate) fn new(epoch: Epoch, limits: Limits) -> Self {
        let oldest = Cursor::START.next();
        Self {
            epoch,
            pages: VecDeque::new(),
            open: OpenPage::new(oldest),
            oldest,
            newest: Cursor::START,
            bytes: 0,
            limits,
        }
    }

    /// Adds an event, given as a block without its id, and gives it the next position.
    pub(crate) fn push(&mut self, block: BytesMut) -> Cursor {
        let position = self.newest.next();
        let id = position.id(self.epoch);
        if !self.open.has_room_for(block.len()) {
            self.seal();
        }
        if self.open.has_room_for(block.len()) {
            self.open.push(&block, &id);
            self.bytes += self.open.size_of(position);
        } else {
            // Larger than a page: one of its own, and not copied.
            let mut whole = block;
            encode::id(&id, &mut whole);
            self.bytes += whole.len();
            self.pages.push_back(Page::of_one(position, whole));
            self.open = self.open.following(position.next());
        }
        self.newest = position;
        self.retain();
        position
    }

    /// What there is after this cursor, up to the end of a page.
    pub(crate) fn read(&mut self, after: Cursor) -> Read {
        if after >= self.newest {
            return Read::End;
        }
        let from = after.next();
        if from < self.oldest {
            return Read::Gone;
        }
        if from >= self.open.first() {
            return Read::Events(self.open.read(from), self.newest);
        }
        match self.page_of(from) {
            Some(page) => Read::Events(page.read(from), page.last()),
            None => Read::Gone,
        }
    }

    /// One event, if it is kept, in bytes of its own: whoever holds it does not hold the page.
    pub(crate) fn read_one(&mut self, event: Cursor) -> Option<Bytes> {
        if event < self.oldest || event > self.newest {
            return None;
        }
        let (from_here_on, size) = if event >= self.open.first() {
            (self.open.read(event), self.open.size_of(event))
        } else {
            let page = self.page_of(event)?;
            (page.read(event), page.size_of(event))
        };
        Some(Bytes::copy_from_slice(&from_here_on[..size]))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The position of the oldest event that is kept; that of the next where none is.
    pub(crate) fn oldest(&self) -> Cursor {
        self.oldest
    }

    /// The position of the newest event.
    pub(crate) fn newest(&self) -> Cursor {
        self.newest
    }

    pub(crate) fn len(&self) -> usize {
        (self.newest.0 + 1 - self.oldest.0) as usize
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn page_of(&self, event: Cursor) -> Option<&Page> {
        self.pages.get(self.pages.partition_point(|page| page.last() < event))
    }

    fn seal(&mut self) {
        let next = self.open.following(self.newest.next());
        let page = std::mem::replace(&mut self.open, next).seal();
        self.pages.extend(page);
    }

    /// Lets go of what is over the limits, a page once none of its events is kept.
    fn retain(&mut self) {
        while self.len() > 1 && (self.len() > self.limits.events || self.bytes > self.limits.bytes)
        {
            match self.pages.front() {
                Some(page) => {
                    self.bytes -= page.size_of(self.oldest);
                    if page.last() == self.oldest {
                        self.pages.pop_front();
                    }
                }
                None => self.bytes -= self.open.size_of(self.oldest),
            }
            self.oldest = self.oldest.next();
        }
    }
}

#[cfg(test)]
mod tests;
