use bytes::{BufMut, Bytes, BytesMut};

use crate::EventId;
use crate::cursor::Cursor;
use crate::encode;

/// How large pages become. What a reader takes at once is one page at the most.
pub(crate) const PAGE_SIZE: usize = 64 * 1024;
/// How large the first page of a log is: most logs stay small.
const FIRST_PAGE_SIZE: usize = 1024;
/// What an id line and the blank line take at the most.
const ID_ROOM: usize = EventId::MAX_LEN + 8;

/// A run of events that changes no more.
#[derive(Debug)]
pub(crate) struct Page {
    index: Index,
    bytes: Bytes,
}

impl Page {
    /// A page of one event, which may be larger than any other page.
    pub(crate) fn of_one(position: Cursor, event: BytesMut) -> Self {
        let index = Index { first: position, ends: vec![event.len()] };
        let capacity = event.capacity();
        Self { index, bytes: fitting(event.freeze(), capacity) }
    }

    /// All from this event on.
    pub(crate) fn read(&self, from: Cursor) -> Bytes {
        self.bytes.slice(self.index.start_of(from)..)
    }

    pub(crate) fn last(&self) -> Cursor {
        Cursor(self.index.first.0 + self.index.ends.len() as u64 - 1)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn size_of(&self, event: Cursor) -> usize {
        self.index.size_of(event)
    }
}

/// The page that is being filled.
///
/// What has been read from it is frozen, so that readers share it; what came since is frozen by the next reader.
#[derive(Debug)]
pub(crate) struct OpenPage {
    index: Index,
    /// What has been read, in pieces that follow one another.
    frozen: Vec<Bytes>,
    /// What has not been read yet, and room for more.
    filling: BytesMut,
    /// How much room the page was given.
    capacity: usize,
    len: usize,
}

impl OpenPage {
    pub(crate) fn new(first: Cursor) -> Self {
        Self::with_capacity(first, FIRST_PAGE_SIZE)
    }

    fn with_capacity(first: Cursor, capacity: usize) -> Self {
        let index = Index { first, ends: Vec::new() };
        Self { index, frozen: Vec::new(), filling: BytesMut::new(), capacity, len: 0 }
    }

    /// The page after this one: twice its size, as long as that is no more than [`PAGE_SIZE`].
    pub(crate) fn following(&self, first: Cursor) -> Self {
        Self::with_capacity(first, (self.capacity * 2).min(PAGE_SIZE))
    }

    pub(crate) fn has_room_for(&self, block: usize) -> bool {
        self.len + block + ID_ROOM <= self.capacity
    }

    pub(crate) fn push(&mut self, block: &[u8], id: &EventId) {
        if self.len == 0 {
            self.filling.reserve(self.capacity);
        }
        let before = self.filling.len();
        self.filling.put_slice(block);
        encode::id(id, &mut self.filling);
        self.len += self.filling.len() - before;
        self.index.ends.push(self.len);
    }

    /// All from this event on, in one piece.
    pub(crate) fn read(&mut self, from: Cursor) -> Bytes {
        if !self.filling.is_empty() {
            self.frozen.push(self.filling.split().freeze());
        }
        let start = self.index.start_of(from);
        // A reader that is up to date wants the last piece. For one that is not the pieces are joined, which is done once
        // for all readers.
        let last = self.frozen.last().map_or(0, Bytes::len);
        if start < self.len - last {
            self.frozen = vec![self.joined()];
        }
        let piece = self.frozen.last().cloned().unwrap_or_default();
        piece.slice(start + piece.len() - self.len..)
    }

    /// The page as it stays; none where it is empty.
    pub(crate) fn seal(mut self) -> Option<Page> {
        if !self.filling.is_empty() {
            self.frozen.push(self.filling.split().freeze());
        }
        self.index.ends.shrink_to_fit();
        let bytes = match self.frozen.len() {
            // It still has all the room that the page was given.
            1 => fitting(self.joined(), self.capacity),
            _ => self.joined(),
        };
        (!bytes.is_empty()).then_some(Page { index: self.index, bytes })
    }

    pub(crate) fn first(&self) -> Cursor {
        self.index.first
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn size_of(&self, event: Cursor) -> usize {
        self.index.size_of(event)
    }

    fn joined(&mut self) -> Bytes {
        match self.frozen.as_mut_slice() {
            [one] => std::mem::take(one),
            pieces => pieces.concat().into(),
        }
    }
}

/// The same bytes, without the room that they were given if that is much more: a log is to hold what it was told to, not twice that.
fn fitting(bytes: Bytes, capacity: usize) -> Bytes {
    if capacity - bytes.len() > capacity / 8 { Bytes::copy_from_slice(&bytes) } else { bytes }
}

/// Where the events of a page are in it.
#[derive(Debug)]
struct Index {
    first: Cursor,
    ends: Vec<usize>,
}

impl Index {
    fn start_of(&self, event: Cursor) -> usize {
        let place = (event.0 - self.first.0) as usize;
        place.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn size_of(&self, event: Cursor) -> usize {
        self.ends[(event.0 - self.first.0) as usize] - self.start_of(event)
    }
}
