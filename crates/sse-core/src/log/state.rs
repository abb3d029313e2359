// Longer than other files: what is decided under the lock of a log is in one place.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use crate::chunk::Entry;
use crate::id::Origin;
use crate::log::backing::Backing;
use crate::log::backlog::{AT_ONCE, Back, Backlog, MOST_SKIPPED, Part, Skip, Skipped};
use crate::log::dedup::IdempotencyKeys;
use crate::log::subscribers::Subscribers;
use crate::log::tail::{Read, Tail};
use crate::store::Topics;
use crate::sync::wakers::{Wakers, Woken};
use crate::view::View;
use crate::{EventId, Gap, GapReason, LastEventId, MakeSnapshot, Position, Start, Timer};

/// The tail and the readers that wait for it, under one lock: no event can come between reading and waiting.
pub(crate) struct State {
    pub(super) tail: Tail,
    pub(super) readers: Wakers,
    /// Those of them that ask for topics. They wait here.
    pub(super) subscribers: Subscribers,
    /// The number of times that events were deleted: a page that was read before is read again.
    pub(super) deletions: u64,
    /// True if the newest event is the last.
    pub(super) is_finished: bool,
    pub(super) remembered: IdempotencyKeys,
    pub(super) backing: Backing,
}

/// The events that a reader gets: all, or those of the topics of the subscriber with this key.
pub(super) type Of = Option<usize>;

/// The point at which a stream begins.
pub(super) enum Begin {
    /// The next event.
    Live,
    /// The position after this event.
    After(Position),
    /// The start of this part of the log when it is read: a new client does not miss earlier events.
    Part(Part),
    /// The position of the snapshot that this makes.
    Snapshot(MakeSnapshot),
    /// Unknown here: the store may know the id, because another process may have seen more events.
    AskStore(EventId),
}

impl State {
    /// Returns the point at which a client continues, or begins if it is new.
    pub(super) fn resolve(&self, last_event_id: &LastEventId, start: &Start) -> Result<Begin, Gap> {
        match (last_event_id, start) {
            (LastEventId::Unusable, _) => Err(self.gap(GapReason::Unknown)),
            (LastEventId::Id(id), _) => self.resolve_id(id).map(|begin| match begin {
                Begin::Live => Begin::After(self.tail.newest()),
                begin => begin,
            }),
            // A new client that begins after the newest event begins live.
            (LastEventId::Absent, Start::After(id)) => self.resolve_id(id),
            (LastEventId::Absent, Start::Live | Start::Last(0)) => Ok(Begin::Live),
            (LastEventId::Absent, Start::Oldest) => Ok(Begin::Part(Part::Oldest)),
            (LastEventId::Absent, Start::Last(count)) => Ok(Begin::Part(Part::Last(*count))),
            (LastEventId::Absent, Start::Since(age)) => Ok(Begin::Part(Part::Since(*age))),
            (LastEventId::Absent, Start::Snapshot(make)) => Ok(Begin::Snapshot(make.clone())),
            (LastEventId::Absent, Start::Skip(count)) => Ok(Begin::Part(Part::Skip(*count))),
        }
    }

    /// Returns the position after which a part of the log begins at this moment, if the tail has all later events.
    pub(super) fn begin_of(&self, of: Of, part: Part, timer: &Timer) -> Option<Position> {
        let after = match part {
            Part::After(after) => after.max(self.floor()),
            Part::Oldest => self.floor(),
            Part::Skip(_) => return None,
            // Over a store the tail knows no times.
            Part::Since(age) => self.tail.before_since(age, || timer.now())?,
            Part::Last(0) => self.tail.newest(),
            // Very many are counted in steps.
            Part::Last(count) if let Some(key) = of => self.back(key, Back::new(count)).ok()?,
            Part::Last(count) => match self.tail.before_last(count) {
                base if base == self.tail.base() && self.tail.len() < count => self.floor(),
                after => after,
            },
        };
        (after >= self.tail.base()).then_some(after)
    }

    /// Goes a step back from the end to the position before the newest events of a subscriber: the floor if it has no more. An error is the rest
    /// of the way.
    pub(super) fn back(&self, subscriber: usize, way: Back) -> Result<Position, Back> {
        let step = way.left.min(AT_ONCE.events);
        let lists = self.subscribers.lists(subscriber);
        match self.tail.before_by(lists, way.before, step) {
            Some(before) if way.left > step => Err(Back { left: way.left - step, before }),
            Some(before) => Ok(before.max(self.floor())),
            None => Ok(self.floor()),
        }
    }

    /// Goes a step towards the position after the first events.
    pub(super) fn skip(&self, of: Of, skip: Skip) -> Skipped {
        self.skip_first(of.map(|key| self.subscribers.lists(key)), skip)
    }

    /// The same, for the events of these lists and those without a topic, or for all.
    pub(super) fn skip_first(&self, lists: Option<&[usize]>, skip: Skip) -> Skipped {
        if skip.count > MOST_SKIPPED {
            return Skipped::Gone(GapReason::Unknown);
        }
        let is_memory = self.backing.stored().is_none();
        let gone = |reason| if is_memory { Skipped::Gone(reason) } else { Skipped::Ask };
        if self.tail.base() > Position::START {
            return gone(GapReason::TooOld);
        }
        let step = match lists {
            None => self.tail.nth(skip.count).map(|after| Skip { left: 0, after, ..skip }),
            Some(lists) => {
                let events = skip.left.min(AT_ONCE.events);
                let after = self.tail.after_first_of(lists, skip.after, events);
                after.map(|after| Skip { left: skip.left - events, after, ..skip })
            }
        };
        match step {
            Some(step) if step.left > 0 => Skipped::More(step),
            // In memory events are numbered without holes.
            Some(step) if self.has_all_up_to(step.after) => Skipped::After(step.after),
            None if self.has_all_up_to(self.tail.newest()) => gone(GapReason::AheadOfHead),
            _ => gone(GapReason::TooOld),
        }
    }

    /// Returns true if the tail has an event at each position up to this one.
    fn has_all_up_to(&self, position: Position) -> bool {
        let count = usize::try_from(position.lo()).ok().filter(|_| position.hi() == 0);
        count.and_then(|count| self.tail.nth(count)) == Some(position)
    }

    pub(super) fn resolve_id(&self, id: &EventId) -> Result<Begin, Gap> {
        match self.position_of(id) {
            Ok(newest) if newest == self.tail.newest() => Ok(Begin::Live),
            Ok(after) => Ok(Begin::After(after)),
            Err(gap) if self.may_be_known_to_the_store(id, &gap) => Ok(Begin::AskStore(id.clone())),
            Err(gap) => Err(gap),
        }
    }

    /// Returns true if the store may know the id: another process may have seen later events, or a new epoch.
    pub(super) fn may_be_known_to_the_store(&self, id: &EventId, gap: &Gap) -> bool {
        let may_be = matches!(gap.reason, GapReason::AheadOfHead | GapReason::OtherEpoch);
        may_be && self.backing.may_know(id, self.newest())
    }

    /// Returns the position of this id. Fails if any later event has been dropped.
    pub(super) fn position_of(&self, id: &EventId) -> Result<Position, Gap> {
        Err(self.gap(match Origin::of(id, self.tail.epoch()) {
            // Nothing that is not over a store gives a view.
            Origin::Here(_) if self.backing.stored().is_none() && View::of(id).is_some() => {
                GapReason::Unknown
            }
            Origin::Here(position) if position > self.newest() => GapReason::AheadOfHead,
            Origin::Here(position) if position < self.floor() => GapReason::TooOld,
            Origin::Here(position) => return Ok(position),
            Origin::OtherEpoch => GapReason::OtherEpoch,
            Origin::Unknown => GapReason::Unknown,
        }))
    }

    pub(super) fn gap(&self, reason: GapReason) -> Gap {
        let epoch = self.tail.epoch();
        let oldest = self.backing.oldest(&self.tail);
        Gap {
            reason,
            oldest: oldest.map(|oldest| oldest.id(epoch)),
            newest: oldest.map(|_| self.newest().id(epoch)),
            log: None,
            restart: Some(self.floor().id(epoch)),
        }
    }

    /// Returns the lowest position from which a client can resume.
    pub(super) fn floor(&self) -> Position {
        self.backing.floor(&self.tail)
    }

    /// Returns the newest known event, in the tail or in the store.
    pub(super) fn newest(&self) -> Position {
        self.backing.newest(&self.tail)
    }

    /// Returns true if no event will ever come after this position, of all or of a subscriber's.
    pub(super) fn ends_at(&mut self, of: Of, after: Position) -> bool {
        self.is_finished && self.read(of, after) == Read::End
    }

    /// Adds an event, and notes the subscribers that it concerns.
    pub(super) fn push(
        &mut self,
        position: Position,
        block: Bytes,
        key: Option<Arc<str>>,
        topics: &Topics,
    ) {
        self.tail.push(position, block, key, topics);
        if let Some(topics) = self.tail.topics() {
            match topics.is_for_all(position) {
                true => self.subscribers.note_all(),
                false => self.subscribers.note(topics.lists_of(position)),
            }
        }
    }

    /// Takes the readers that wait for the events that came, to wake them once the lock is released.
    pub(super) fn take_readers(&mut self) -> Woken {
        self.readers.take().and(self.subscribers.take())
    }

    /// Takes all readers that wait.
    pub(super) fn take_all_readers(&mut self) -> Woken {
        self.subscribers.note_all();
        self.take_readers()
    }

    /// Returns the events after this position, of all or of a subscriber's.
    #[inline]
    pub(super) fn read(&mut self, of: Of, after: Position) -> Read {
        match of {
            None => self.tail.read(after),
            Some(key) => self.tail.read_topics(self.subscribers.lists(key), after),
        }
    }

    /// Returns true if the tail has no event of this subscriber after a position.
    pub(super) fn is_quiet_after(&self, of: Of, after: Position) -> bool {
        of.is_some_and(|key| self.tail.is_quiet_after(self.subscribers.lists(key), after))
    }

    /// Returns the position up to which there is nothing for this subscriber after a position: the newest, or that of the event before its next one. `None`
    /// if that is not in memory.
    pub(super) fn quiet_up_to(&self, subscriber: usize, after: Position) -> Option<Position> {
        self.tail.quiet_up_to(self.subscribers.lists(subscriber), after)
    }

    /// Adds the offsets of the events that [`read`](State::read) returned for this position.
    pub(super) fn list(&self, of: Of, after: Position, last: Position, entries: &mut Vec<Entry>) {
        match of {
            None => self.tail.list(after, last, entries),
            Some(key) => {
                let lists = self.subscribers.lists(key);
                self.tail.list_topics(lists, after, last, entries);
            }
        }
    }

    /// Returns the waker of the follower, if there is one.
    pub(super) fn follower(&self) -> Option<Waker> {
        self.backing.stored().and_then(Backlog::follower)
    }
}
