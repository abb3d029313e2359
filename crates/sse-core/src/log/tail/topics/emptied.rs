//! The index of a tail that has dropped all events.

use std::collections::VecDeque;

use slab::Slab;

use crate::Position;
use crate::log::tail::topics::{List, TopicIndex};

impl TopicIndex {
    /// Returns an index without events after this position, up to which any list may lack events.
    pub(in crate::log::tail) fn emptied(&self, base: Position) -> Self {
        self.without_events(base, base, |_| base)
    }

    /// Returns an index without events after this position, the newest. Each list lacks the events that it had, and no others: a reader that waits
    /// has missed nothing.
    pub(in crate::log::tail) fn forgotten(&self, newest: Position) -> Self {
        let early = if self.has_rest { self.dropped.max(self.since) } else { self.dropped };
        let dropped = self.rest.back().copied().unwrap_or(early);
        self.without_events(newest, dropped, |list| {
            list.events.back().copied().unwrap_or(list.dropped)
        })
    }

    /// Returns an index without events. The lists that have readers keep their numbers.
    fn without_events(
        &self,
        base: Position,
        dropped: Position,
        dropped_of: impl Fn(&List) -> Position,
    ) -> Self {
        let read = self.lists.iter().filter(|(_, list)| list.readers > 0);
        let empty = |list: &List| List {
            topic: list.topic.clone(),
            events: VecDeque::new(),
            dropped: dropped_of(list),
            readers: list.readers,
        };
        let lists: Slab<_> = read.map(|(number, list)| (number, empty(list))).collect();
        let numbers = lists.iter().map(|(number, list)| (list.topic.clone(), number)).collect();
        Self { numbers, read: lists.len(), lists, dropped, ..Self::new(base, base, self.has_rest) }
    }
}
