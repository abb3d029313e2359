//! The positions of events counted from either end of a tail.

use crate::Position;
use crate::log::tail::Tail;

impl Tail {
    /// Returns the position of the event that this many are kept up to, or the base if it is none; `None` if there are fewer.
    pub(crate) fn nth(&self, mut count: usize) -> Option<Position> {
        if count == 0 {
            return Some(self.base);
        }
        let pages = self.pages.iter().map(|page| &page.index).chain([&self.open.index]);
        for index in pages {
            match count.checked_sub(index.len()) {
                Some(left) if left > 0 => count = left,
                _ => return index.nth(count - 1),
            }
        }
        None
    }

    /// Returns the position after which there are exactly `count` events, or the base if there are fewer.
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
}
