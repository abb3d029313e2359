use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::chunk::Entry;
use crate::store::TopicFilter;
use crate::{GapReason, Position};

/// What a reader requests of the store: equal requests are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) part: Part,
    /// The events that pass, if the reader asks for topics.
    pub(crate) filter: Option<TopicFilter>,
}

impl Request {
    /// Returns true if the answer is the same whenever the store is asked.
    pub(super) fn is_of_any_time(&self) -> bool {
        matches!(self.part, Part::After(_))
    }
}

/// A part of the log that is not in the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    After(Position),
    Oldest,
    Last(usize),
    /// What was stored within this time.
    Since(Duration),
    /// What comes after this many first events.
    Skip(usize),
}

/// The result of reading a part of the log: at most one page.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// These events. Some entries may belong to later events.
    Events {
        bytes: Bytes,
        entries: Arc<[Entry]>,
        /// The position before the first.
        after: Position,
        /// The position of the last.
        last: Position,
        /// The position after which to read on: what is between the last event and it, the reader does not get.
        upto: Position,
    },
    /// No events up to this position.
    Nothing(Position),
    /// A gap: some events of the part have been dropped, or are no longer there.
    Gone(GapReason),
}
