//! The offsets of the events in the bytes that a reader of a log gives.

use std::ops::Range;

use crate::{Epoch, Position, encode};

/// An event among the bytes of a page or of a chunk: its block, and the line of its id after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    // A page has at most 64 KiB, or one event, which is smaller than 4 GiB.
    start: u32,
    end: u32,
}

impl Entry {
    #[inline]
    pub(crate) fn new(position: Position, bytes: Range<usize>) -> Self {
        Self { position, start: bytes.start as u32, end: bytes.end as u32 }
    }

    #[inline]
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the entry among fewer bytes, after this many are removed at the beginning.
    pub(crate) fn without_first(self, bytes: usize) -> Self {
        Self::new(self.position, self.range().start - bytes..self.range().end - bytes)
    }

    /// Returns the bytes of its block, in a log of this epoch.
    pub(crate) fn block(&self, epoch: Epoch) -> Range<usize> {
        let Range { start, end } = self.range();
        start..end - encode::id_len(self.position.id_len(epoch))
    }
}

/// Returns the entries of events up to this one.
pub(crate) fn upto(entries: &[Entry], last: Position) -> &[Entry] {
    &entries[..entries.partition_point(|entry| entry.position <= last)]
}
