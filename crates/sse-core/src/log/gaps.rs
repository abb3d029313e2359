use std::sync::Arc;

use crate::feed::Options;
use crate::log::reader::Next;
use crate::log::state::State;
use crate::{Event, EventType, Frame, Gap, GapReason, OnGap};

/// What was chosen for a client that begins live, or that cannot go on where it was. Decided under one lock each, so that the
/// position told of is the one read from.
pub(crate) struct Gaps {
    on_gap: OnGap,
    opening: Option<EventType>,
    /// What the log is called, where it is one of several.
    log: Option<Arc<str>>,
}

impl Gaps {
    pub(crate) fn new(options: &Options) -> Self {
        let opening = options.opening_event.clone();
        Self { on_gap: options.on_gap.clone(), opening, log: None }
    }

    /// For one of several logs, which are opened together.
    pub(crate) fn of_merged(log: Arc<str>, options: &Options) -> Self {
        Self { on_gap: options.on_gap.clone(), opening: None, log: Some(log) }
    }

    /// With the next event, and first with word of the position where that is wanted.
    pub(super) fn begin_live(&self, state: &State) -> Next {
        let newest = state.tail.newest();
        match &self.opening {
            _ if state.is_finished => Next::Stop,
            Some(event_type) => {
                let opening = Event::new("").event_type(event_type.clone());
                let frame = Frame::from(opening.id(newest.id(state.tail.epoch())));
                Next::Tell(frame.into_bytes(), Box::new(Next::Read(newest)))
            }
            None => Next::Read(newest),
        }
    }

    pub(super) fn go_on(&self, state: &State, reason: GapReason) -> Next {
        let gap = Gap { log: self.log.clone(), ..state.gap(reason) };
        match &self.on_gap {
            OnGap::Reset => {
                let word = Frame::from(gap.to_event()).into_bytes();
                Next::Tell(word, Box::new(Next::Read(state.floor())))
            }
            OnGap::Snapshot(make) => {
                let word = gap.to_frame_without_id().into_bytes();
                Next::Tell(word, Box::new(Next::Ask(make.clone(), Box::new(gap))))
            }
            OnGap::Live => self.begin_live(state),
            OnGap::Stop => Next::Refuse,
        }
    }
}
