use std::sync::Arc;

use crate::merge::packed;
use crate::{EventLog, LastEventId, Start};

/// A client's id, as each log is to have it.
pub(super) enum Given<'a> {
    Absent,
    /// Where it is in each of the logs, or in some.
    Places(Vec<(&'a str, LastEventId)>),
    Unusable,
}

impl<'a> Given<'a> {
    /// Reads an id of a merge of these logs. One that names none of them is of something else: a gap in each.
    pub(super) fn of(last_event_id: &'a LastEventId, logs: &[(Arc<str>, EventLog)]) -> Self {
        let id = match last_event_id {
            LastEventId::Absent => return Self::Absent,
            LastEventId::Unusable => return Self::Unusable,
            LastEventId::Id(id) => id,
        };
        let is_ours = |(name, _): &(&str, LastEventId)| logs.iter().any(|(own, _)| **own == **name);
        match packed::unpack(id) {
            Some(places) if places.iter().any(is_ours) => Self::Places(places),
            _ => Self::Unusable,
        }
    }

    /// To a log that is new, the client is new.
    pub(super) fn to(&self, name: &str) -> LastEventId {
        match self {
            Self::Absent => LastEventId::Absent,
            Self::Unusable => LastEventId::Unusable,
            Self::Places(places) => {
                let place = places.iter().find(|(of, _)| *of == name);
                place.map_or(LastEventId::Absent, |(_, place)| place.clone())
            }
        }
    }

    /// Where a first visit to a log begins that is to begin there.
    pub(super) fn start_in(&self, name: &str) -> Start {
        match self.to(name) {
            LastEventId::Id(id) => Start::After(id),
            _ => Start::Live,
        }
    }
}
