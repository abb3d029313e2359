use bytes::{BufMut, Bytes, BytesMut};

use crate::id::IdText;
use crate::log::tail::index::{Index, Run};
use crate::{EventId, Position, encode};

/// The largest size of a page, in bytes. A reader takes at most one page at once.
pub(crate) const PAGE_SIZE: usize = 64 * 1024;
/// The size of the first page of a log, in bytes: most logs stay small.
const FIRST_PAGE_SIZE: usize = 1024;
/// The number of pieces of an open page that are searched for an event before they are joined.
const MOST_PIECES: usize = 32;
/// The most bytes that an id line and the blank line take.
pub(crate) const ID_ROOM: usize = EventId::MAX_LEN + 8;

/// A full page of events, of which at least one is kept.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) index: Index,
    bytes: Bytes,
}

impl Page {
    /// Returns a page of one event, which may be larger than any other page.
    pub(crate) fn of_one(position: Position, event: BytesMut) -> Self {
        let mut index = Index::default();
        index.push(position, 0..event.len());
        let capacity = event.capacity();
        Self { index, bytes: fitting(event.freeze(), capacity) }
    }

    /// Returns the events after this position, in one piece, and the position of the last.
    pub(crate) fn read(&mut self, after: Position) -> Option<(Bytes, Position)> {
        let mut run = self.index.run_after(after)?;
        if run.is_short() {
            // Compacted once for all readers.
            self.compact();
            run = self.index.run_after(after)?;
        }
        Some((self.bytes.slice(run.bytes), run.last))
    }

    /// Returns one event, in the bytes of the page.
    pub(crate) fn event(&self, event: Position) -> Option<Bytes> {
        self.index.event(event).map(|range| self.bytes.slice(range))
    }

    /// Returns one event in bytes of its own, which do not keep the page alive.
    pub(crate) fn copy_of(&self, event: Position) -> Option<Bytes> {
        self.index.event(event).map(|range| Bytes::copy_from_slice(&self.bytes[range]))
    }

    /// Removes an event. The bytes of removed events stay for as long as they are the smaller part.
    pub(crate) fn take_out(&mut self, event: Position) -> Option<usize> {
        let size = self.index.take_out(event)?;
        if self.index.is_sparse(self.bytes.len()) {
            self.compact();
        }
        Some(size)
    }

    pub(crate) fn compact(&mut self) {
        let (index, bytes) = self.index.compacted(&self.bytes);
        (self.index, self.bytes) = (index, bytes.freeze());
    }

    /// Takes over the events of the next page.
    pub(crate) fn absorb(&mut self, next: &Self) {
        let (mut index, mut bytes) = self.index.compacted(&self.bytes);
        for (position, range) in next.index.events_after(Position::START) {
            let start = bytes.len();
            bytes.extend_from_slice(&next.bytes[range]);
            index.push(position, start..bytes.len());
        }
        (self.index, self.bytes) = (index, bytes.freeze());
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The page that new events go into.
///
/// The bytes that were read are frozen, so that readers share them. The next reader freezes the bytes that came since.
#[derive(Debug)]
pub(crate) struct OpenPage {
    pub(crate) index: Index,
    /// The bytes that were read, in adjacent pieces.
    frozen: Vec<Bytes>,
    /// The bytes that were not read yet, and room for more.
    filling: BytesMut,
    /// The size of the page when it is full.
    capacity: usize,
    len: usize,
}

impl OpenPage {
    pub(crate) fn first() -> Self {
        Self::with_capacity(FIRST_PAGE_SIZE)
    }

    fn with_capacity(capacity: usize) -> Self {
        let index = Index::default();
        Self { index, frozen: Vec::new(), filling: BytesMut::new(), capacity, len: 0 }
    }

    /// Returns the page after this one, of twice its size, at most [`PAGE_SIZE`].
    pub(crate) fn following(&self) -> Self {
        Self::with_capacity((self.capacity * 2).min(PAGE_SIZE))
    }

    pub(crate) fn has_room_for(&self, block: usize) -> bool {
        self.len + block + ID_ROOM <= self.capacity
    }

    /// Adds an event. Returns its size with its id.
    pub(crate) fn push(&mut self, position: Position, block: &[u8], id: &IdText) -> usize {
        if self.filling.capacity() == 0 {
            self.filling.reserve(self.capacity - self.len);
        }
        let before = self.filling.len();
        self.filling.put_slice(block);
        encode::id(id.as_bytes(), &mut self.filling);
        let size = self.filling.len() - before;
        self.index.push(position, self.len..self.len + size);
        self.len += size;
        size
    }

    /// Returns the events after this position, in one piece, and the position of the last.
    pub(crate) fn read(&mut self, after: Position) -> Option<(Bytes, Position)> {
        let mut run = self.index.run_after(after)?;
        if run.is_short() {
            self.compact();
            run = self.index.run_after(after)?;
        }
        let Run { bytes: range, last: newest, .. } = run;
        self.freeze();
        // A reader that is up to date needs only the last piece. For any other reader the pieces are joined, once for all.
        let last = self.frozen.last().map_or(0, Bytes::len);
        if range.start < self.len - last {
            self.frozen = vec![self.joined()];
        }
        let piece = self.frozen.last().cloned().unwrap_or_default();
        let before = self.len - piece.len();
        Some((piece.slice(range.start - before..range.end - before), newest))
    }

    /// Returns one event, in the bytes of the page.
    pub(crate) fn event(&mut self, event: Position) -> Option<Bytes> {
        let range = self.index.event(event)?;
        self.freeze();
        if self.frozen.len() > MOST_PIECES {
            self.frozen = vec![self.joined()];
        }
        let mut start = 0;
        let piece = self.frozen.iter().find(|piece| {
            start += piece.len();
            range.end <= start
        })?;
        start -= piece.len();
        Some(piece.slice(range.start - start..range.end - start))
    }

    /// Returns one event in bytes of its own.
    pub(crate) fn copy_of(&mut self, event: Position) -> Option<Bytes> {
        let range = self.index.event(event)?;
        let (from_here_on, _) = self.read(event.previous())?;
        Some(Bytes::copy_from_slice(&from_here_on[..range.len()]))
    }

    /// Removes an event. The bytes of removed events stay for as long as they are the smaller part.
    pub(crate) fn take_out(&mut self, event: Position) -> Option<usize> {
        let size = self.index.take_out(event)?;
        if self.index.is_sparse(self.len) {
            self.compact();
        }
        Some(size)
    }

    pub(crate) fn compact(&mut self) {
        let bytes = self.joined();
        let (index, bytes) = self.index.compacted(&bytes);
        self.len = bytes.len();
        (self.index, self.filling, self.frozen) = (index, BytesMut::new(), vec![bytes.freeze()]);
    }

    /// Seals the page. Returns `None` if no event in it is kept.
    pub(crate) fn seal(mut self) -> Option<Page> {
        if self.index.len() == 0 {
            return None;
        }
        self.freeze();
        self.index.shrink();
        let bytes = match self.frozen.len() {
            // One piece still has all the room of the page.
            1 => fitting(self.joined(), self.capacity),
            _ => self.joined(),
        };
        Some(Page { index: self.index, bytes })
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn freeze(&mut self) {
        if !self.filling.is_empty() {
            self.frozen.push(self.filling.split().freeze());
        }
    }

    fn joined(&mut self) -> Bytes {
        self.freeze();
        match self.frozen.as_mut_slice() {
            [one] => std::mem::take(one),
            pieces => pieces.concat().into(),
        }
    }
}

/// Copies the bytes if they use much less than their room, so that a log does not use twice the memory that its limits allow.
fn fitting(bytes: Bytes, capacity: usize) -> Bytes {
    if capacity - bytes.len() > capacity / 8 { Bytes::copy_from_slice(&bytes) } else { bytes }
}
