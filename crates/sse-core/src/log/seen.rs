use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use crate::Cursor;
use crate::store::{Page, StoredEvent};

/// By what an event is known again: after a failover, or a restore, another may have its position, or none.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) cursor: Cursor,
    hash: u64,
    /// A newer one with this key may have taken its place.
    key: Option<Arc<str>>,
}

/// What a page says of an event that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// It is there, or its absence is no loss.
    Found,
    Lost,
    /// What took its place may come after this position.
    After(Cursor),
}

impl Seen {
    pub(super) fn of(event: &StoredEvent) -> Self {
        Self { cursor: event.cursor, hash: hash(event), key: event.key.clone() }
    }

    /// What this page says, which begins where it was, or where the one before it said.
    pub(super) fn trace(&self, page: &Page) -> Trace {
        if let Some(first) = page.events.first().filter(|first| first.cursor == self.cursor) {
            return if hash(first) == self.hash { Trace::Found } else { Trace::Lost };
        }
        let is_newer = |event: &StoredEvent| self.key.is_some() && event.key == self.key;
        if page.bounds.floor >= self.cursor || page.events.iter().any(is_newer) {
            return Trace::Found;
        }
        match page.events.last() {
            Some(last) if self.key.is_some() => Trace::After(last.cursor),
            _ => Trace::Lost,
        }
    }
}

fn hash(event: &StoredEvent) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(&event.block)
}
