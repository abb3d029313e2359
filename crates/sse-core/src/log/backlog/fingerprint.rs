use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use bytes::Bytes;

use crate::Position;
use crate::store::{EncodedEvent, Page, StoredEvent};

/// A fingerprint of an event, to recognize the store by: after a failover, or a restore, its position may have another event, or none.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) position: Position,
    hash: u64,
    /// The key: a newer event with this key may have replaced it.
    key: Option<Arc<str>>,
    /// The number of deletions of the store while the event was there, or before: if more were deleted since, it may be one of them.
    pub(crate) deletions: u64,
    /// The newest event of the store when this one was not found first. The event that replaced it was at or before this position, unless it was
    /// replaced, too, before the follower came there.
    absent_at: Option<Position>,
}

/// The state of an event that was seen, by a page read at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    /// The event is there, or a newer event has replaced it, or it was dropped with all before it.
    Found,
    /// Another event has its position.
    Other,
    /// The event is absent: deleted, or lost.
    Absent,
    /// The event was stored, and does not show yet.
    Hidden,
    /// The event is absent. The follower may still have to bring the event that replaced it, up to this position.
    Unsettled(Position),
}

impl Seen {
    /// Returns the fingerprint of an event that the store gave. The store had this number of deletions before that.
    pub(crate) fn of(event: &StoredEvent, deletions: u64) -> Self {
        let (position, key) = (event.position, event.key.clone());
        Self { position, hash: hash(&event.block), key, deletions, absent_at: None }
    }

    /// Returns the fingerprint of an event that the store acknowledged. The store had this number of deletions before that.
    pub(crate) fn of_new(event: &EncodedEvent, position: Position, deletions: u64) -> Self {
        let key = event.key.clone();
        Self { position, hash: hash(&event.block), key, deletions, absent_at: None }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub(crate) fn is_superseded_by(&self, newer: &StoredEvent) -> bool {
        self.key.is_some() && newer.key == self.key && newer.position > self.position
    }

    /// Returns true if this page, of any part of the log after the event, has one that replaced it, or says that it is dropped by now: a store may
    /// drop events between two reads.
    pub(crate) fn is_accounted_for_by(&self, page: &Page) -> bool {
        let is_dropped = page.bounds.floor >= self.position;
        is_dropped || page.events.iter().any(|newer| self.is_superseded_by(newer))
    }

    /// Notes that the event was absent when this was the newest event of the store.
    pub(crate) fn absent_at(self, newest: Position) -> Self {
        Self { absent_at: Some(newest), ..self }
    }

    /// Returns true if the follower, at this position, would have brought the event that replaced this one.
    pub(crate) fn is_settled_at(&self, followed_to: Position) -> bool {
        self.absent_at.is_none_or(|newest| newest <= followed_to)
    }

    /// Returns the state of the event, by a page that begins at its position. The follower was at `followed_to` before the page was read.
    pub(crate) fn trace(&self, page: &Page, followed_to: Position) -> Trace {
        if let Some(first) = page.events.first().filter(|first| first.position == self.position) {
            return if hash(&first.block) == self.hash { Trace::Found } else { Trace::Other };
        }
        if self.position > page.bounds.newest {
            return Trace::Hidden;
        }
        if self.is_accounted_for_by(page) {
            return Trace::Found;
        }
        let absent_at = self.absent_at.unwrap_or(page.bounds.newest);
        match self.key {
            Some(_) if absent_at > followed_to => Trace::Unsettled(absent_at),
            _ => Trace::Absent,
        }
    }
}

fn hash(block: &Bytes) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Epoch;
    use crate::store::Bounds;

    #[test]
    fn an_event_that_was_replaced_or_dropped_by_now_is_accounted_for() {
        let at = |lo| Position::new(0, lo);
        let stored = |lo, key: Option<&str>| StoredEvent {
            position: at(lo),
            block: Bytes::from_static(b"data: x\n"),
            key: key.map(Arc::from),
            topics: Default::default(),
        };
        let epoch = Epoch::random().expect("there is randomness");
        let page = |floor, event: StoredEvent| Page {
            bounds: Bounds {
                epoch,
                floor: at(floor),
                oldest: Some(event.position),
                newest: at(9),
                is_finished: false,
                deletions: 0,
            },
            events: vec![event],
        };
        let seen = Seen::of(&stored(4, Some("k")), 0);
        assert!(seen.is_accounted_for_by(&page(0, stored(7, Some("k")))), "replaced");
        for other in [stored(7, None), stored(7, Some("l")), stored(3, Some("k"))] {
            assert!(!seen.is_accounted_for_by(&page(3, other.clone())), "{other:?}");
            assert!(seen.is_accounted_for_by(&page(4, other)), "dropped before this page was read");
        }
    }
}
