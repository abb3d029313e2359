use std::collections::HashSet;

use crate::{EventId, Frame};

/// The ids that the client has, as far as a live event might bring them again.
#[derive(Default)]
pub(crate) struct Replayed {
    /// The last event ID that the client came with.
    last_seen: Option<EventId>,
    ids: HashSet<EventId>,
    limit: usize,
    is_full: bool,
}

impl Replayed {
    /// Remembers this many ids at the most.
    pub(crate) fn remembering(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The client has seen the event with this id.
    pub(crate) fn begin_after(&mut self, id: EventId) {
        self.last_seen = Some(id);
    }

    /// What the client has seen is not known.
    pub(crate) fn begin_anew(&mut self) {
        self.last_seen = None;
    }

    /// Whether this is the event that the client came with.
    pub(crate) fn is_last_seen(&self, frame: &Frame) -> bool {
        naming(frame).is_some_and(|id| Some(id) == self.last_seen.as_ref())
    }

    /// Whether the client has this event.
    pub(crate) fn holds(&self, frame: &Frame) -> bool {
        self.is_last_seen(frame) || naming(frame).is_some_and(|id| self.ids.contains(id))
    }

    pub(crate) fn remember(&mut self, frame: &Frame) {
        match naming(frame) {
            Some(_) if self.ids.len() >= self.limit => self.is_full = true,
            Some(id) => _ = self.ids.insert(id.clone()),
            None => {}
        }
    }

    /// Whether there were more than could be remembered.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

/// The id of a frame where it names it: the empty one makes clients forget theirs, and any number of events may have it.
fn naming(frame: &Frame) -> Option<&EventId> {
    frame.id().filter(|id| !id.as_str().is_empty())
}
