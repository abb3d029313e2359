use std::ops::Range;

use bytes::BytesMut;

use crate::Position;
use crate::chunk::Entry;

/// The offsets of the events of a page in its bytes.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The events, in their order.
    entries: Vec<Entry>,
    /// The number of first events that are no longer kept. Their bytes are still there.
    gone: usize,
    /// The number of bytes of events that were removed from among the others.
    holes: usize,
    /// The end of the last hole: from there on all bytes are of events.
    last_hole: usize,
}

/// Adjacent events in the bytes of a page.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) bytes: Range<usize>,
    pub(crate) last: Position,
    is_up_to_a_hole: bool,
}

/// The number of bytes before a hole that are worth a chunk of their own.
const WORTH_A_CHUNK: usize = 4 * 1024;

impl Run {
    /// Returns true if compacting the page is better than reading it up to the next hole.
    pub(crate) fn is_short(&self) -> bool {
        self.is_up_to_a_hole && self.bytes.len() < WORTH_A_CHUNK
    }
}

impl Index {
    /// Adds the next event, with these bytes of the page.
    pub(crate) fn push(&mut self, position: Position, bytes: Range<usize>) {
        self.entries.push(Entry::new(position, bytes));
    }

    /// Returns the position of the first event that is kept.
    pub(crate) fn first(&self) -> Option<Position> {
        self.kept().first().map(|entry| entry.position)
    }

    /// Returns the position of the last event.
    pub(crate) fn last(&self) -> Option<Position> {
        self.kept().last().map(|entry| entry.position)
    }

    pub(crate) fn len(&self) -> usize {
        self.kept().len()
    }

    /// Returns the events after this position, up to the first hole between them.
    #[inline]
    pub(crate) fn run_after(&self, position: Position) -> Option<Run> {
        let (first, rest) = self.kept().get(self.index_after(position)..)?.split_first()?;
        let newest = rest.last().unwrap_or(first);
        let mut last = newest;
        if first.range().start < self.last_hole {
            last = first;
            for next in rest {
                if next.range().start != last.range().end {
                    break;
                }
                last = next;
            }
        }
        let bytes = first.range().start..last.range().end;
        Some(Run { bytes, last: last.position, is_up_to_a_hole: last.position < newest.position })
    }

    /// Adds the events after this position, up to `last`, with offsets in bytes that begin with the first.
    pub(crate) fn list(&self, after: Position, last: Position, entries: &mut Vec<Entry>) {
        let later = &self.kept()[self.index_after(after)..];
        let start = later.first().map_or(0, |first| first.range().start);
        let run = later.iter().take_while(|entry| entry.position <= last);
        entries.extend(run.map(|entry| entry.without_first(start)));
    }

    /// Returns the bytes of the event at this position, if it is here.
    pub(crate) fn event(&self, position: Position) -> Option<Range<usize>> {
        let at = self.index_after(position).checked_sub(1)?;
        Some(self.kept()[at]).filter(|entry| entry.position == position).map(|entry| entry.range())
    }

    /// Returns the events after this position, in order.
    pub(crate) fn events_after(
        &self,
        position: Position,
    ) -> impl Iterator<Item = (Position, Range<usize>)> + '_ {
        self.kept()[self.index_after(position)..]
            .iter()
            .map(|entry| (entry.position, entry.range()))
    }

    /// Returns the events before this position, newest first.
    pub(crate) fn events_before(
        &self,
        position: Position,
    ) -> impl Iterator<Item = (Position, Range<usize>)> + '_ {
        let end = self.kept().partition_point(|entry| entry.position < position);
        self.kept()[..end].iter().rev().map(|entry| (entry.position, entry.range()))
    }

    /// Returns the position of the event of this number, from 0.
    pub(crate) fn nth(&self, number: usize) -> Option<Position> {
        self.kept().get(number).map(|entry| entry.position)
    }

    /// Returns the position before the last `count` events, if there are more than that.
    pub(crate) fn before_last(&self, count: usize) -> Option<Position> {
        let before = self.len().checked_sub(count)?.checked_sub(1)?;
        Some(self.kept()[before].position)
    }

    /// Drops the first event. Returns its position and its size.
    pub(crate) fn drop_first(&mut self) -> Option<(Position, usize)> {
        let first = *self.kept().first()?;
        self.gone += 1;
        Some((first.position, first.range().len()))
    }

    /// Removes the event at this position. Returns its size.
    pub(crate) fn take_out(&mut self, position: Position) -> Option<usize> {
        let at = self.index_after(position).checked_sub(1)?;
        let entry = Some(self.kept()[at]).filter(|entry| entry.position == position)?;
        self.entries.remove(self.gone + at);
        self.holes += entry.range().len();
        self.last_hole = self.last_hole.max(entry.range().end);
        Some(entry.range().len())
    }

    /// Returns true if more than half of these bytes are of events that were removed.
    pub(crate) fn is_sparse(&self, bytes: usize) -> bool {
        self.holes > bytes / 2
    }

    /// Returns the events that are kept, without holes.
    pub(crate) fn compacted(&self, bytes: &[u8]) -> (Self, BytesMut) {
        #[cfg(test)]
        crate::log::work::add(self.len());
        let size = self.kept().iter().map(|entry| entry.range().len()).sum();
        let (mut index, mut kept) = (Self::default(), BytesMut::with_capacity(size));
        for entry in self.kept() {
            let start = kept.len();
            kept.extend_from_slice(&bytes[entry.range()]);
            index.push(entry.position, start..kept.len());
        }
        (index, kept)
    }

    /// Frees the room for further events.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    fn kept(&self) -> &[Entry] {
        &self.entries[self.gone..]
    }

    fn index_after(&self, position: Position) -> usize {
        match self.kept() {
            // Nearly every reader waits for the newest event.
            [.., before, newest] if before.position <= position && position < newest.position => {
                self.len() - 1
            }
            kept => kept.partition_point(|entry| entry.position <= position),
        }
    }
}
