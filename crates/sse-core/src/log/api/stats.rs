use crate::EventId;

/// What a log holds at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStats {
    /// How many streams are reading it.
    pub open_streams: usize,
    /// How many events it keeps in memory.
    pub events: usize,
    /// How many bytes these have.
    pub bytes: usize,
    /// The id of the newest event; before the first event, of the position before it.
    pub newest: EventId,
    /// Whether the newest event is the last.
    pub is_finished: bool,
    /// Whether its [`Follower`](crate::Follower) runs; true where there is no store to follow.
    pub is_followed: bool,
}
