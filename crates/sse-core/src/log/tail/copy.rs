//! Events of a tail in bytes of their own, which do not keep a page alive.

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
        #[cfg(test)]
        crate::log::work::add(positions.len());
        let copy = |position| Some((position, self.read_one(position)?));
        positions.into_iter().filter_map(copy).collect()
    }
}
