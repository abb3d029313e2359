use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use bytes::Bytes;

use crate::Position;
use crate::store::{EncodedEvent, Page, StoredEvent};

/// An event, by which the store is known again: after a failover, or a restore, another event may have its position, or none.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) position: Position,
    hash: u64,
    /// A newer event with this key may have taken its place.
    key: Option<Arc<str>>,
    /// A number of deletions that the store had while the event was there, or before that: if more were deleted since, it may be one
    /// of those.
    pub(crate) deletions: u64,
    /// The newest event of the store when this one was looked for and was not there: what took its place is no newer.
    gone_by: Option<Position>,
}

/// What a page says of an event that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    /// It is there, or a newer event has taken its place, or it was dropped with all before it.
    Found,
    /// Another event is there.
    Other,
    /// It is not there: deleted, or lost.
    Absent,
    /// It was stored, and does not show yet.
    Hidden,
    /// It is not there. What took its place may still have to be followed to: up to this position.
    Unsettled(Position),
}

impl Seen {
    /// The store had this number of deletions before it gave the event.
    pub(crate) fn of(event: &StoredEvent, deletions: u64) -> Self {
        let (position, key) = (event.position, event.key.clone());
        Self { position, hash: hash(&event.block), key, deletions, gone_by: None }
    }

    /// The store had this number of deletions before it took the event.
    pub(crate) fn of_new(event: &EncodedEvent, position: Position, deletions: u64) -> Self {
        let key = event.key.clone();
        Self { position, hash: hash(&event.block), key, deletions, gone_by: None }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }

    pub(crate) fn is_superseded_by(&self, newer: &StoredEvent) -> bool {
        self.key.is_some() && newer.key == self.key && newer.position > self.position
    }

    /// The same, of which is known since when it is not there.
    pub(crate) fn gone_by(self, newest: Position) -> Self {
        Self { gone_by: Some(newest), ..self }
    }

    /// Whether it was looked for in vain, and what took its place would have been followed to by now.
    pub(crate) fn is_settled_at(&self, followed_to: Position) -> bool {
        self.gone_by.is_none_or(|newest| newest <= followed_to)
    }

    /// What this page says, which begins where the event was. Before it was read all up to a position had been followed to.
    pub(crate) fn trace(&self, page: &Page, followed_to: Position) -> Trace {
        if let Some(first) = page.events.first().filter(|first| first.position == self.position) {
            return if hash(&first.block) == self.hash { Trace::Found } else { Trace::Other };
        }
        if self.position > page.bounds.newest {
            return Trace::Hidden;
        }
        let is_newer = |event: &StoredEvent| self.key.is_some() && event.key == self.key;
        if page.bounds.floor >= self.position || page.events.iter().any(is_newer) {
            return Trace::Found;
        }
        let gone_by = self.gone_by.unwrap_or(page.bounds.newest);
        match self.key {
            Some(_) if gone_by > followed_to => Trace::Unsettled(gone_by),
            _ => Trace::Absent,
        }
    }
}

fn hash(block: &Bytes) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(block)
}
