use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::Cursor;
use crate::store::{Page, StoredEvent};

/// By what an event is known again: after a failover, or a restore, another may have its position, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) cursor: Cursor,
    hash: u64,
    /// Whether a newer one may have taken its place.
    has_key: bool,
}

impl Seen {
    pub(super) fn of(event: &StoredEvent) -> Self {
        Self { cursor: event.cursor, hash: hash(event), has_key: event.key.is_some() }
    }

    /// Whether it should be in this page, which begins where it was, and is not.
    pub(super) fn is_missing_from(&self, page: &Page) -> bool {
        match page.events.first().filter(|first| first.cursor == self.cursor) {
            Some(first) => hash(first) != self.hash,
            None => page.bounds.floor < self.cursor && !self.has_key,
        }
    }
}

fn hash(event: &StoredEvent) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(&event.block)
}
