use std::sync::Arc;

use crate::log::Selection;
use crate::merge::packed;
use crate::view::View;
use crate::{EventId, LastEventId, Start};

/// A client's id, split into an id for each log.
pub(crate) enum Given<'a> {
    Absent,
    /// The client's id in each of the logs, or in some.
    Ids(Vec<(&'a str, LastEventId)>),
    Unusable,
}

impl<'a> Given<'a> {
    /// Reads an id of a merge of these logs. An id that names none of them is unusable: a gap in each.
    pub(crate) fn of(last_event_id: &'a LastEventId, logs: &[(Arc<str>, Selection)]) -> Self {
        let id = match last_event_id {
            LastEventId::Absent => return Self::Absent,
            LastEventId::Unusable => return Self::Unusable,
            LastEventId::Id(id) => id,
        };
        let is_ours = |(name, _): &(&str, LastEventId)| logs.iter().any(|(own, _)| **own == **name);
        let Some(mut ids) = packed::unpack(id).filter(|ids| ids.iter().any(is_ours)) else {
            return Self::Unusable;
        };
        // A merge of these logs gives no longer view.
        let is_too_long = |id: &EventId| View::len_in(id) > packed::room(logs);
        for (_, id) in &mut ids {
            if matches!(id, LastEventId::Id(id) if is_too_long(id)) {
                *id = LastEventId::Unusable;
            }
        }
        Self::Ids(ids)
    }

    /// Returns the client's id in this log. In a log that the id does not name, the client is new.
    pub(crate) fn to(&self, name: &str) -> LastEventId {
        match self {
            Self::Absent => LastEventId::Absent,
            Self::Unusable => LastEventId::Unusable,
            Self::Ids(ids) => {
                let id = ids.iter().find(|(of, _)| *of == name);
                id.map_or(LastEventId::Absent, |(_, id)| id.clone())
            }
        }
    }

    /// Returns the start of a new client in this log, if the stream begins at this id.
    pub(super) fn start_in(&self, name: &str) -> Start {
        match self.to(name) {
            LastEventId::Id(id) => Start::After(id),
            _ => Start::Live,
        }
    }
}
