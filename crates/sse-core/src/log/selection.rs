use crate::{EventLog, TopicSet};

/// A log, and the topics that a stream asks for; `None` for all events.
#[derive(Clone)]
pub(crate) struct Selection {
    pub(crate) log: EventLog,
    pub(crate) topics: Option<TopicSet>,
}
