use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::SipHasher13;

use crate::{EventId, Frame};

/// The ids that the client has and that a live event might have again: 16 bytes for each.
#[derive(Default)]
pub(crate) struct Replayed {
    /// The last event ID that the client sent.
    last_seen: Option<EventId>,
    /// A keyed hash of each id, which an attacker cannot predict: a collision of 128 bits is practically impossible. Sorted once settled.
    ids: Vec<u128>,
    limit: usize,
    is_full: bool,
}

impl Replayed {
    /// Returns a set that remembers at most this many ids.
    pub(crate) fn remembering(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Records that the client has seen the event with this id.
    pub(crate) fn begin_after(&mut self, id: EventId) {
        self.last_seen = Some(id);
    }

    /// Forgets the last event ID, because it is a gap.
    pub(crate) fn forget_last_seen(&mut self) {
        self.last_seen = None;
    }

    /// Returns true if this event has the last event ID that the client sent.
    pub(crate) fn is_last_seen(&self, frame: &Frame) -> bool {
        naming(frame).is_some_and(|id| Some(id) == self.last_seen.as_ref())
    }

    /// Returns true if the client has this event. Call it once the replay is over.
    pub(crate) fn holds(&self, frame: &Frame) -> bool {
        let is_known = |id| self.ids.binary_search(&hash(id)).is_ok();
        self.is_last_seen(frame) || (self.holds_any() && naming(frame).is_some_and(is_known))
    }

    pub(crate) fn holds_any(&self) -> bool {
        !self.ids.is_empty()
    }

    pub(crate) fn remember(&mut self, frame: &Frame) {
        let Some(id) = naming(frame) else { return };
        if self.ids.len() >= self.limit {
            self.is_full = true;
            return;
        }
        if self.ids.len() == self.ids.capacity() {
            // Never more room than the limit needs.
            let size = (self.ids.len() * 2).max(16).min(self.limit);
            self.ids.reserve_exact(size - self.ids.len());
        }
        self.ids.push(hash(id));
    }

    /// Sorts the ids, once the replay is over.
    pub(crate) fn settle(&mut self) {
        self.ids.sort_unstable();
        self.ids.shrink_to_fit();
    }

    /// Forgets the ids, because no event of the replay is published any more.
    pub(crate) fn forget(&mut self) {
        self.ids = Vec::new();
    }

    /// Returns true if there were more ids than it remembers.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

fn hash(id: &EventId) -> u128 {
    static KEYED: LazyLock<SipHasher13> = LazyLock::new(|| {
        let (one, other) = (RandomState::new(), RandomState::new());
        SipHasher13::new_with_keys(one.hash_one(0), other.hash_one(1))
    });
    let hash = KEYED.hash(id.as_str().as_bytes());
    u128::from(hash.h1) << 64 | u128::from(hash.h2)
}

/// Returns the id that identifies a frame. The empty id does not: it makes clients forget theirs, and any number of events may have it.
fn naming(frame: &Frame) -> Option<&EventId> {
    frame.id().filter(|id| !id.as_str().is_empty())
}
