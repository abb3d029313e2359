use crate::cursor::{Cursor, Origin};
use crate::log::tail::Tail;
use crate::wakers::Wakers;
use crate::{Gap, GapReason, LastEventId};

/// The tail and those who wait for it, under one lock: no event can come between looking and waiting.
pub(crate) struct State {
    pub(super) tail: Tail,
    pub(super) readers: Wakers,
}

impl State {
    /// Where a client goes on: after the event it saw last, or at the end if this is its first visit.
    pub(super) fn resolve(&self, last_event_id: &LastEventId) -> Result<Cursor, Gap> {
        let (oldest, newest) = (self.tail.oldest(), self.tail.newest());
        let reason = match last_event_id {
            LastEventId::Absent => return Ok(newest),
            LastEventId::Unusable => GapReason::Unknown,
            LastEventId::Id(id) => match Origin::of(id, self.tail.epoch()) {
                Origin::Here(cursor) if cursor > newest => GapReason::AheadOfHead,
                Origin::Here(cursor) if cursor.next() < oldest => GapReason::TooOld,
                Origin::Here(cursor) => return Ok(cursor),
                Origin::OtherEpoch => GapReason::OtherEpoch,
                Origin::Unknown => GapReason::Unknown,
            },
        };
        Err(self.gap(reason))
    }

    pub(super) fn gap(&self, reason: GapReason) -> Gap {
        let (oldest, newest, epoch) = (self.tail.oldest(), self.tail.newest(), self.tail.epoch());
        let is_empty = self.tail.len() == 0;
        Gap {
            reason,
            oldest: (!is_empty).then(|| oldest.id(epoch)),
            newest: (!is_empty).then(|| newest.id(epoch)),
            restart: Some(oldest.previous().id(epoch)),
        }
    }
}
