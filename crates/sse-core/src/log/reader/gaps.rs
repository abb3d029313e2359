use std::sync::Arc;

use crate::feed::options::StreamOptions;
use crate::log::backlog::Part;
use crate::log::reader::next::{Next, Told, Word};
use crate::log::state::State;
use crate::{
    Event, EventId, EventType, Frame, Gap, GapReason, MakeSnapshot, OnGap, Position, Start,
};

/// What was chosen for a client that begins live, or that cannot go on where it was. Decided under one lock each, so that the
/// position told of is the one read from.
pub(crate) struct Gaps {
    then: Then,
    opening: Option<EventType>,
    /// What the log is called, if it is one of several.
    log: Option<Arc<str>>,
    /// The gap that was found last, until an observer is told of it.
    met: Option<Box<Gap>>,
}

/// What follows a gap.
enum Then {
    /// Word of it, then this part of the log.
    Tell(Part),
    /// Word of it, then what follows the event with this id.
    TellAt(EventId),
    /// Word of it, then what comes.
    TellLive,
    /// Word of it, then a snapshot.
    Snapshot(MakeSnapshot),
    Live,
    Stop,
}

/// When a gap is found.
pub(crate) enum Found {
    /// As its client comes, by the id that it brings, if that can be read.
    Coming(Option<EventId>),
    /// As its client reads: another life of the log has begun.
    NewEpoch,
    /// As its client reads: it fell behind what is kept.
    Behind,
}

impl Gaps {
    pub(crate) fn new(options: &StreamOptions) -> Self {
        let then = Then::new(&options.on_gap, &options.start);
        Self { then, opening: options.position_event.clone(), log: None, met: None }
    }

    /// For one of several logs, which are opened together, and of which this one begins here.
    pub(crate) fn of_merged(log: Arc<str>, options: &StreamOptions, start: &Start) -> Self {
        Self { then: Then::new(&options.on_gap, start), opening: None, log: Some(log), met: None }
    }

    /// Whether the log is one of several, whose ids are made of the positions of the events.
    pub(crate) fn are_of_one_of_several(&self) -> bool {
        self.log.is_some()
    }

    /// With the next event, and first with word of the position if that is wanted.
    pub(in crate::log) fn begin_live(&self, state: &State) -> Next {
        let newest = state.tail.newest();
        match &self.opening {
            _ if state.is_finished => Next::Stop,
            Some(event_type) => {
                let opening = Event::new("").event_type(event_type.clone());
                let frame = Frame::from(opening.id(newest.id(state.tail.epoch())));
                tell(frame.into_bytes(), Some(newest), Next::Read(newest))
            }
            None => Next::Read(newest),
        }
    }

    pub(in crate::log) fn go_on(&mut self, state: &State, reason: GapReason, found: Found) -> Next {
        self.met = Some(Box::new(self.gap(state, reason)));
        let is_behind = matches!(found, Found::Behind);
        let id = if let Found::Coming(id) = found { id } else { None };
        let word = Some(Word { reason, id });
        match &self.then {
            Then::Tell(part) => Next::Begin(*part, word),
            Then::TellAt(id) => {
                let after = state.position_of(id).map_or(Part::Oldest, Part::After);
                Next::Begin(after, word)
            }
            // If it fell behind again before it is polled, and again, it would get nothing but words: the newest event gets it on.
            Then::TellLive if is_behind => Next::Begin(Part::Last(1), word),
            Then::Live if is_behind => Next::Begin(Part::Last(1), None),
            Then::TellLive => {
                let newest = state.tail.newest();
                let word = self.word(state, reason, newest);
                tell(word, Some(newest), Next::Read(newest))
            }
            Then::Snapshot(make) => {
                let gap = self.gap(state, reason);
                let word = gap.to_frame_without_id().into_bytes();
                tell(word, None, Next::Ask(make.clone(), Box::new(gap)))
            }
            Then::Live => self.begin_live(state),
            Then::Stop => Next::Refuse,
        }
    }

    /// Word of a gap whose client goes on after this position.
    pub(crate) fn word(&self, state: &State, reason: GapReason, after: Position) -> bytes::Bytes {
        let restart = Some(after.id(state.tail.epoch()));
        Frame::from(Gap { restart, ..self.gap(state, reason) }.to_event()).into_bytes()
    }

    /// Takes the gap that was found last, to tell an observer.
    pub(crate) fn take(&mut self) -> Option<Gap> {
        self.met.take().map(|gap| *gap)
    }

    fn gap(&self, state: &State, reason: GapReason) -> Gap {
        Gap { log: self.log.clone(), ..state.gap(reason) }
    }
}

fn tell(frame: bytes::Bytes, position: Option<Position>, then: Next) -> Next {
    Next::Tell(Box::new(Told { frame, position, then }))
}

impl Then {
    fn new(on_gap: &OnGap, start: &Start) -> Self {
        match (on_gap, start) {
            (OnGap::Reset, _) | (OnGap::StartOver, Start::Oldest) => Self::Tell(Part::Oldest),
            (OnGap::StartOver, Start::Last(count)) => Self::Tell(Part::Last(*count)),
            (OnGap::StartOver, Start::After(id)) => Self::TellAt(id.clone()),
            (OnGap::StartOver, Start::Live) => Self::TellLive,
            (OnGap::Snapshot(make), _) => Self::Snapshot(make.clone()),
            (OnGap::Live, _) => Self::Live,
            (OnGap::Stop, _) => Self::Stop,
        }
    }
}
