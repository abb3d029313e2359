use crate::EventId;

/// What a log holds at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStats {
    /// How many streams are reading it.
    pub readers: usize,
    /// How many events it keeps.
    pub events: usize,
    /// How many bytes these have.
    pub bytes: usize,
    /// The id of the newest event; before the first event, of the position before it.
    pub newest: EventId,
    /// Whether the newest event is the last.
    pub is_finished: bool,
}
