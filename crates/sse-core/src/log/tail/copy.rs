//! Events of a tail in bytes of their own, which do not keep a page alive.

use std::ops::Range;

use bytes::Bytes;

use crate::Position;
use crate::log::tail::Tail;
use crate::store::PageLimit;

impl Tail {
    /// Returns one event, if it is kept, in bytes of its own.
    pub(crate) fn read_one(&mut self, event: Position) -> Option<Bytes> {
        let page = self.page_after(event.previous());
        let sealed = self.pages.get(page).and_then(|page| page.copy_of(event));
        sealed.or_else(|| self.open.copy_of(event))
    }

    /// Returns the events after this one, at least one if there is any, in bytes of their own.
    pub(crate) fn copy_after(
        &mut self,
        after: Position,
        limit: PageLimit,
    ) -> Vec<(Position, Bytes)> {
        let pages = self.pages.range(self.page_after(after)..).map(|page| &page.index);
        let indexes = pages.chain([&self.open.index]);
        let (mut positions, mut bytes) = (Vec::new(), 0);
        for (position, range) in indexes.flat_map(|index| index.events_after(after)) {
            bytes += range.len();
            if positions.len() >= limit.events || (!positions.is_empty() && bytes > limit.bytes) {
                break;
            }
            positions.push(position);
        }
        self.copy(positions)
    }

    /// Returns the newest events before this one, newest first, at least one if there is any, in bytes of their own.
    pub(crate) fn copy_before(
        &mut self,
        before: Position,
        limit: PageLimit,
    ) -> Vec<(Position, Bytes)> {
        let (mut positions, mut bytes) = (Vec::new(), 0);
        for (position, range) in self.events_before(before) {
            bytes += range.len();
            if positions.len() >= limit.events || (!positions.is_empty() && bytes > limit.bytes) {
                break;
            }
            positions.push(position);
        }
        self.copy(positions)
    }

    /// Returns the events before this position and their places in their pages, newest first.
    pub(super) fn events_before(
        &self,
        before: Position,
    ) -> impl Iterator<Item = (Position, Range<usize>)> + '_ {
        let pages = self.pages.len().min(self.page_after(before.previous()) + 1);
        let pages = self.pages.range(..pages).rev().map(|page| &page.index);
        let indexes = [&self.open.index].into_iter().chain(pages);
        indexes.flat_map(move |index| index.events_before(before))
    }

    fn copy(&mut self, events: Vec<Position>) -> Vec<(Position, Bytes)> {
        #[cfg(test)]
        crate::log::work::add(events.len());
        events.into_iter().filter_map(|event| Some((event, self.read_one(event)?))).collect()
    }
}
