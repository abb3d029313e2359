use crate::cursor::{Cursor, Origin};
use crate::log::tail::Tail;
use crate::wakers::Wakers;
use crate::{EventId, Gap, GapReason, LastEventId, Start};

/// The tail and those who wait for it, under one lock: no event can come between looking and waiting.
pub(crate) struct State {
    pub(super) tail: Tail,
    pub(super) readers: Wakers,
    /// Whether the newest event is the last.
    pub(super) is_finished: bool,
}

/// Where a stream begins.
pub(super) enum Place {
    /// With the next event.
    Live,
    /// After the event at this position.
    After(Cursor),
}

impl State {
    /// Where a client goes on, or begins if this is its first visit.
    pub(super) fn resolve(&self, last_event_id: &LastEventId, start: &Start) -> Result<Place, Gap> {
        match last_event_id {
            LastEventId::Unusable => Err(self.gap(GapReason::Unknown)),
            LastEventId::Id(id) => self.position_of(id).map(Place::After),
            // To begin after the newest event is to begin live, however it was said.
            LastEventId::Absent => match self.position_of_start(start)? {
                newest if newest == self.tail.newest() => Ok(Place::Live),
                after => Ok(Place::After(after)),
            },
        }
    }

    fn position_of_start(&self, start: &Start) -> Result<Cursor, Gap> {
        let (before_oldest, newest) = (self.tail.oldest().previous(), self.tail.newest());
        match start {
            Start::Live => Ok(newest),
            Start::Oldest => Ok(before_oldest),
            Start::Last(count) => {
                Ok(Cursor(newest.0.saturating_sub(*count as u64)).max(before_oldest))
            }
            Start::At(id) => self.position_of(id),
        }
    }

    /// The position that this id names, if all that follows it is kept.
    pub(super) fn position_of(&self, id: &EventId) -> Result<Cursor, Gap> {
        Err(self.gap(match Origin::of(id, self.tail.epoch()) {
            Origin::Here(cursor) if cursor > self.tail.newest() => GapReason::AheadOfHead,
            Origin::Here(cursor) if cursor.next() < self.tail.oldest() => GapReason::TooOld,
            Origin::Here(cursor) => return Ok(cursor),
            Origin::OtherEpoch => GapReason::OtherEpoch,
            Origin::Unknown => GapReason::Unknown,
        }))
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
