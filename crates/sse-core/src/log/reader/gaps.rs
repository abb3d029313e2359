use std::sync::Arc;

use crate::feed::options::StreamOptions;
use crate::gap_policy::GapPolicy;
use crate::log::backlog::Part;
use crate::log::reader::next::{Next, PendingReset, Told};
use crate::log::state::State;
use crate::view::View;
use crate::{
    Epoch, Event, EventId, EventType, Frame, Gap, GapReason, MakeSnapshot, Position,
    SnapshotRequest, Start,
};

/// The options for a client that begins live, or that cannot resume exactly where it was. Each decision is made under one lock, so that the
/// client continues from the position that it is told.
pub(crate) struct Gaps {
    /// In a box, because most readers have none, and each byte of a reader counts.
    chosen: Option<Box<Chosen>>,
    /// The gap that was found last, until an observer is told of it.
    met: Option<Box<Gap>>,
    /// The events after its position that the client has seen, until it has passed them.
    pub(super) view: Option<Box<View>>,
}

/// The options that are not the default.
struct Chosen {
    policy: GapPolicy,
    opening: Option<EventType>,
    /// The log, if it is in a merge.
    log: Option<InMerge>,
}

/// A log in a merge.
struct InMerge {
    name: Arc<str>,
    /// The bytes that a view may take in the id of the merge.
    room: usize,
}

/// The moment at which a gap is found.
pub(crate) enum Found {
    /// The client comes with this id, if the id is valid.
    Coming(Option<EventId>),
    /// The client reads, and another epoch of the log has begun.
    NewEpoch,
    /// The client reads, and fell behind the events that are kept.
    Behind,
}

impl Gaps {
    pub(crate) fn new(options: &StreamOptions) -> Self {
        let policy = GapPolicy::new(&options.on_gap, &options.start);
        Self::of(Chosen { policy, opening: options.position_event.clone(), log: None })
    }

    /// Returns the options for a log of a merge, which begins at this start.
    pub(crate) fn of_merged(
        name: Arc<str>,
        room: usize,
        options: &StreamOptions,
        start: &Start,
    ) -> Self {
        let policy = GapPolicy::new(&options.on_gap, start);
        Self::of(Chosen { policy, opening: None, log: Some(InMerge { name, room }) })
    }

    fn of(chosen: Chosen) -> Self {
        let is_default =
            matches!(chosen, Chosen { policy: GapPolicy::Reset, opening: None, log: None });
        Self { chosen: (!is_default).then(|| Box::new(chosen)), met: None, view: None }
    }

    fn policy(&self) -> &GapPolicy {
        const DEFAULT: &GapPolicy = &GapPolicy::Reset;
        self.chosen.as_ref().map_or(DEFAULT, |chosen| &chosen.policy)
    }

    fn merge(&self) -> Option<&InMerge> {
        self.chosen.as_ref()?.log.as_ref()
    }

    fn log(&self) -> Option<&Arc<str>> {
        Some(&self.merge()?.name)
    }

    /// Returns true if the log is in a merge, whose ids are made of the positions of the events.
    pub(crate) fn are_merged(&self) -> bool {
        self.merge().is_some()
    }

    /// Returns true if the positions of the events in each chunk are asked for.
    pub(in crate::log) fn want_entries(&self) -> bool {
        self.are_merged() || self.view.is_some()
    }

    /// Returns true if a gap ends the stream.
    pub(crate) fn are_the_end(&self) -> bool {
        matches!(self.policy(), GapPolicy::Stop)
    }

    /// Begins with the next event, and before it with the position event if that is set.
    pub(in crate::log) fn begin_live(&self, state: &State) -> Next {
        let newest = state.tail.newest();
        let opening = self.chosen.as_ref().and_then(|chosen| chosen.opening.as_ref());
        match opening {
            _ if state.is_finished => Next::Stop,
            Some(event_type) => {
                let frame = position_frame(event_type, self.id_at(newest, state.tail.epoch()));
                tell(frame, Some(newest), Next::Read(newest))
            }
            None => Next::Read(newest),
        }
    }

    pub(in crate::log) fn go_on(&mut self, state: &State, reason: GapReason, found: Found) -> Next {
        self.met = Some(Box::new(self.gap(state, reason)));
        self.view = None;
        let is_behind = matches!(found, Found::Behind);
        let id = if let Found::Coming(id) = found { id } else { None };
        let reset = PendingReset { reason, id };
        let start = match self.policy() {
            GapPolicy::StartOver(start) => Some(&**start),
            _ => None,
        };
        match (self.policy(), start) {
            (_, Some(Start::Last(count))) => reset.before(Part::Last(*count)),
            (_, Some(Start::Since(age))) => reset.before(Part::Since(*age)),
            (_, Some(Start::After(id))) => match state.position_of(id) {
                Ok(after) => {
                    self.view = View::of(id).map(Box::new);
                    reset.before(Part::After(after))
                }
                Err(gap) if state.may_be_known_to_the_store(id, &gap) => {
                    Next::Look(id.clone(), Box::new(reset))
                }
                Err(_) => reset.before(Part::Oldest),
            },
            // A client that falls behind again before each poll would only get resets: it also gets the newest event.
            (_, Some(Start::Live)) if is_behind => reset.before(Part::Last(1)),
            (_, Some(Start::Live)) => reset.before(Part::Last(0)),
            // By number it would be the same gap again.
            (GapPolicy::Reset | GapPolicy::StartOver(_), _) => reset.before(Part::Oldest),
            (GapPolicy::Live, _) if is_behind => Next::Begin(Part::Last(1), None),
            (GapPolicy::Snapshot(make), _) => {
                let gap = self.gap(state, reason);
                let reset = gap.to_frame_without_id().into_bytes();
                tell(reset, None, self.snapshot(make.clone(), Some(gap)))
            }
            (GapPolicy::Live, _) => self.begin_live(state),
            (GapPolicy::Stop, _) => Next::Refuse,
        }
    }

    /// Takes the view of this id, after whose position the client continues.
    pub(in crate::log) fn see(&mut self, id: &EventId) {
        self.view = View::of(id).map(Box::new);
    }

    /// Fails if the id of the merge has no room for the view of this id.
    pub(in crate::log) fn check_room(&self, id: &EventId) -> Result<(), String> {
        let Some(InMerge { name, room }) = self.merge() else { return Ok(()) };
        if View::len_in(id) <= *room {
            return Ok(());
        }
        Err(format!(
            "too many transactions had not ended when the snapshot of the log {name:?} was made: its id {id} does not fit into the id of the merge"
        ))
    }

    /// Returns the id of a position for this client. In a merge each log's part of the id gets the view later.
    pub(in crate::log) fn id_at(&self, position: Position, epoch: Epoch) -> EventId {
        match &self.view {
            Some(view) if !self.are_merged() => view.id_at(position, epoch),
            _ => position.id(epoch),
        }
    }

    /// Asks the application for a snapshot.
    pub(in crate::log) fn snapshot(&self, make: MakeSnapshot, gap: Option<Gap>) -> Next {
        Next::Ask(make, Box::new(SnapshotRequest { gap, log: self.log().cloned() }))
    }

    /// Returns the reset for a client that continues after this position.
    pub(crate) fn reset(&self, state: &State, reason: GapReason, after: Position) -> bytes::Bytes {
        let restart = Some(self.id_at(after, state.tail.epoch()));
        Frame::from(Gap { restart, ..self.gap(state, reason) }.to_event()).into_bytes()
    }

    /// Takes the gap that was found last, to tell an observer.
    pub(crate) fn take(&mut self) -> Option<Gap> {
        self.met.take().map(|gap| *gap)
    }

    fn gap(&self, state: &State, reason: GapReason) -> Gap {
        Gap { log: self.log().cloned(), ..state.gap(reason) }
    }
}

/// Returns a frame without data that has this id.
pub(crate) fn position_frame(event_type: &EventType, id: EventId) -> bytes::Bytes {
    Frame::from(Event::new("").event_type(event_type.clone()).id(id)).into_bytes()
}

fn tell(frame: bytes::Bytes, position: Option<Position>, then: Next) -> Next {
    Next::Tell(Box::new(Told { frame, position, then }))
}
