use std::ops::Range;

use bytes::BytesMut;

use crate::Position;
use crate::chunk::Entry;

/// Where the events of a page are in its bytes.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// In their order.
    entries: Vec<Entry>,
    /// How many of the first are no longer kept. Their bytes are still there.
    gone: usize,
    /// How many bytes were of events that have been taken out from among the others.
    holes: usize,
    /// Where the last of these ended: from there on all bytes are of events.
    last_hole: usize,
}

/// Events that follow one another in the bytes of a page.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) bytes: Range<usize>,
    pub(crate) last: Position,
    is_up_to_a_hole: bool,
}

/// How many bytes before a hole are worth a chunk of their own.
const WORTH_A_CHUNK: usize = 4 * 1024;

impl Run {
    /// Whether the page is better put together, without its holes, than read up to the next one.
    pub(crate) fn is_short(&self) -> bool {
        self.is_up_to_a_hole && self.bytes.len() < WORTH_A_CHUNK
    }
}

impl Index {
    /// The next event: it has these bytes of the page.
    pub(crate) fn push(&mut self, cursor: Position, bytes: Range<usize>) {
        self.entries.push(Entry::new(cursor, bytes));
    }

    /// The position of the first event that is kept.
    pub(crate) fn first(&self) -> Option<Position> {
        self.kept().first().map(|entry| entry.position)
    }

    /// The position of the last.
    pub(crate) fn last(&self) -> Option<Position> {
        self.kept().last().map(|entry| entry.position)
    }

    pub(crate) fn len(&self) -> usize {
        self.kept().len()
    }

    /// The events after this position, up to the first hole between them.
    #[inline]
    pub(crate) fn run_after(&self, cursor: Position) -> Option<Run> {
        let (first, rest) = self.kept().get(self.place_after(cursor)..)?.split_first()?;
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

    /// Adds the events after this position, up to the last one, as they are in bytes that begin with the first.
    pub(crate) fn list(&self, after: Position, last: Position, entries: &mut Vec<Entry>) {
        let later = &self.kept()[self.place_after(after)..];
        let start = later.first().map_or(0, |first| first.range().start);
        let run = later.iter().take_while(|entry| entry.position <= last);
        entries.extend(run.map(|entry| entry.without_first(start)));
    }

    /// The event at this position, if it is here.
    pub(crate) fn event(&self, cursor: Position) -> Option<Range<usize>> {
        let place = self.place_after(cursor).checked_sub(1)?;
        Some(self.kept()[place]).filter(|entry| entry.position == cursor).map(|entry| entry.range())
    }

    /// The events after this position, in order.
    pub(crate) fn events_after(
        &self,
        cursor: Position,
    ) -> impl Iterator<Item = (Position, Range<usize>)> + '_ {
        self.kept()[self.place_after(cursor)..].iter().map(|entry| (entry.position, entry.range()))
    }

    /// The position before the last `count` events, where there are more than that.
    pub(crate) fn before_last(&self, count: usize) -> Option<Position> {
        let before = self.len().checked_sub(count)?.checked_sub(1)?;
        Some(self.kept()[before].position)
    }

    /// Lets go of the first event, and says which it was, and its size.
    pub(crate) fn let_go(&mut self) -> Option<(Position, usize)> {
        let first = *self.kept().first()?;
        self.gone += 1;
        Some((first.position, first.range().len()))
    }

    /// Takes the event at this position out, and says how large it was.
    pub(crate) fn take_out(&mut self, cursor: Position) -> Option<usize> {
        let place = self.place_after(cursor).checked_sub(1)?;
        let entry = Some(self.kept()[place]).filter(|entry| entry.position == cursor)?;
        self.entries.remove(self.gone + place);
        self.holes += entry.range().len();
        self.last_hole = self.last_hole.max(entry.range().end);
        Some(entry.range().len())
    }

    /// Whether more than half of these bytes are of events that were taken out.
    pub(crate) fn is_sparse(&self, bytes: usize) -> bool {
        self.holes > bytes / 2
    }

    /// The events that are kept, without anything in between.
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

    /// What it was filled with and needs no more room for.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    fn kept(&self) -> &[Entry] {
        &self.entries[self.gone..]
    }

    fn place_after(&self, cursor: Position) -> usize {
        match self.kept() {
            // Nearly every reader waits for the newest.
            [.., before, newest] if before.position <= cursor && cursor < newest.position => {
                self.len() - 1
            }
            kept => kept.partition_point(|entry| entry.position <= cursor),
        }
    }
}
