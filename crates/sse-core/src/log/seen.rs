use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use bytes::Bytes;

use crate::Cursor;
use crate::store::{NewEvent, Page, StoredEvent};

/// An event, by which the store is known again: after a failover, or a restore, another event may have its position, or none.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) cursor: Cursor,
    hash: u64,
    /// A newer event with this key may have taken its place.
    key: Option<Arc<str>>,
    /// A number of deletions that the store had while the event was there, or before that: if more were deleted since, it may be one
    /// of those.
    pub(super) deletions: u64,
}

/// What a page says of an event that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// It is there, or a newer event has taken its place, or it was dropped with all before it.
    Found,
    /// Another event is there.
    Other,
    /// It is not there: deleted, or lost.
    Absent,
    /// It was stored, and does not show yet.
    Hidden,
    /// What took its place may come after this position.
    After(Cursor),
}

impl Seen {
    /// The store had this number of deletions before it gave the event.
    pub(super) fn of(event: &StoredEvent, deletions: u64) -> Self {
        let (cursor, key) = (event.cursor, event.key.clone());
        Self { cursor, hash: hash(&event.block), key, deletions }
    }

    /// The store had this number of deletions before it took the event.
    pub(super) fn of_new(event: &NewEvent, cursor: Cursor, deletions: u64) -> Self {
        Self { cursor, hash: hash(&event.block), key: event.key.clone(), deletions }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }

    pub(super) fn is_superseded_by(&self, newer: &Self) -> bool {
        self.key.is_some() && newer.key == self.key && newer.cursor > self.cursor
    }

    /// What this page says, which begins where the event was, or where the page before it said.
    pub(super) fn trace(&self, page: &Page) -> Trace {
        if let Some(first) = page.events.first().filter(|first| first.cursor == self.cursor) {
            return if hash(&first.block) == self.hash { Trace::Found } else { Trace::Other };
        }
        if self.cursor > page.bounds.newest {
            return Trace::Hidden;
        }
        let is_newer = |event: &StoredEvent| self.key.is_some() && event.key == self.key;
        if page.bounds.floor >= self.cursor || page.events.iter().any(is_newer) {
            return Trace::Found;
        }
        match page.events.last() {
            Some(last) if self.key.is_some() => Trace::After(last.cursor),
            _ => Trace::Absent,
        }
    }
}

fn hash(block: &Bytes) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(block)
}
