use std::task::Waker;

use crate::id::Origin;
use crate::log::backlog::{Backlog, Part};
use crate::log::dedup::IdempotencyKeys;
use crate::log::tail::{Read, Tail};
use crate::sync::wakers::Wakers;
use crate::{EventId, Gap, GapReason, LastEventId, Position, Start};

/// The tail and those who wait for it, under one lock: no event can come between looking and waiting.
pub(crate) struct State {
    pub(super) tail: Tail,
    pub(super) readers: Wakers,
    /// How often events were deleted: what was read before that, and is still held, is read again.
    pub(super) deletions: u64,
    /// Whether the newest event is the last.
    pub(super) is_finished: bool,
    pub(super) remembered: IdempotencyKeys,
    /// The store behind the tail; none where the tail is all there is.
    pub(super) behind: Option<Backlog>,
}

/// Where a stream begins.
pub(super) enum Place {
    /// With the next event.
    Live,
    /// After the event at this position.
    After(Position),
    /// Where this part of the log begins when it is read: what goes before that is nothing to a client that is here for the first time.
    Part(Part),
    /// Where it is, the store must say: another process may know more.
    AskStore(EventId),
}

impl State {
    /// Where a client goes on, or begins if this is its first visit.
    pub(super) fn resolve(&self, last_event_id: &LastEventId, start: &Start) -> Result<Place, Gap> {
        match (last_event_id, start) {
            (LastEventId::Unusable, _) => Err(self.gap(GapReason::Unknown)),
            (LastEventId::Id(id), _) => self.resolve_id(id).map(|place| match place {
                Place::Live => Place::After(self.tail.newest()),
                place => place,
            }),
            // To begin after the newest event is to begin live, however it was said.
            (LastEventId::Absent, Start::After(id)) => self.resolve_id(id),
            (LastEventId::Absent, Start::Live | Start::Last(0)) => Ok(Place::Live),
            (LastEventId::Absent, Start::Oldest) => Ok(Place::Part(Part::Oldest)),
            (LastEventId::Absent, Start::Last(count)) => Ok(Place::Part(Part::Last(*count))),
        }
    }

    /// The position after which a part of the log begins at this moment, if the tail has all that follows it.
    pub(super) fn begin_of(&self, part: Part) -> Option<Position> {
        let after = match part {
            Part::After(after) => after.max(self.floor()),
            Part::Oldest => self.floor(),
            Part::Last(count) => match self.tail.before_last(count) {
                base if base == self.tail.base() && self.tail.len() < count => self.floor(),
                after => after,
            },
        };
        (after >= self.tail.base()).then_some(after)
    }

    pub(super) fn resolve_id(&self, id: &EventId) -> Result<Place, Gap> {
        match self.position_of(id) {
            Ok(newest) if newest == self.tail.newest() => Ok(Place::Live),
            Ok(after) => Ok(Place::After(after)),
            Err(gap) if self.may_be_known_to_the_store(id, &gap) => Ok(Place::AskStore(id.clone())),
            Err(gap) => Err(gap),
        }
    }

    /// Another process may have seen events of this log that this one has not, or a new life of it.
    pub(super) fn may_be_known_to_the_store(&self, id: &EventId, gap: &Gap) -> bool {
        let may_be = matches!(gap.reason, GapReason::AheadOfHead | GapReason::OtherEpoch);
        may_be && self.behind.as_ref().is_some_and(|behind| !behind.strangers.contains(id))
    }

    /// The position that this id names, if all that follows it is kept.
    pub(super) fn position_of(&self, id: &EventId) -> Result<Position, Gap> {
        Err(self.gap(match Origin::of(id, self.tail.epoch()) {
            Origin::Here(position) if position > self.newest() => GapReason::AheadOfHead,
            Origin::Here(position) if position < self.floor() => GapReason::TooOld,
            Origin::Here(position) => return Ok(position),
            Origin::OtherEpoch => GapReason::OtherEpoch,
            Origin::Unknown => GapReason::Unknown,
        }))
    }

    pub(super) fn gap(&self, reason: GapReason) -> Gap {
        let epoch = self.tail.epoch();
        let oldest = match &self.behind {
            None => self.tail.oldest(),
            Some(behind) => behind.bounds.oldest,
        };
        Gap {
            reason,
            oldest: oldest.map(|oldest| oldest.id(epoch)),
            newest: oldest.map(|_| self.newest().id(epoch)),
            log: None,
            restart: Some(self.floor().id(epoch)),
        }
    }

    /// The lowest position that can be resumed from.
    pub(super) fn floor(&self) -> Position {
        self.behind.as_ref().map_or(self.tail.base(), |behind| behind.bounds.floor)
    }

    /// The newest event there is known to be, here or in the store.
    pub(super) fn newest(&self) -> Position {
        let stored = self.behind.as_ref().map(|behind| behind.bounds.newest);
        self.tail.newest().max(stored.unwrap_or_default())
    }

    /// Whether nothing will ever come after this position.
    pub(super) fn ends_at(&mut self, after: Position) -> bool {
        self.is_finished && self.tail.read(after) == Read::End
    }

    /// The follower, if something is wanted of it.
    pub(super) fn follower(&self) -> Option<Waker> {
        self.behind.as_ref().and_then(Backlog::follower)
    }
}
