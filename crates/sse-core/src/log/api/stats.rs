use crate::EventId;

/// The size and state of a log at a moment.
///
/// ```
/// use sse_core::{EventLog, LogStats};
///
/// let log = EventLog::in_memory(1000);
/// let id = log.append_now("hello")?.wait()?;
/// let LogStats { events, newest, is_finished, .. } = log.stats();
/// assert_eq!((events, newest, is_finished), (1, id, false));
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStats {
    /// The number of streams that read it.
    pub open_streams: usize,
    /// The number of topics that streams ask for.
    pub topics: usize,
    /// The number of events that it keeps in memory.
    pub events: usize,
    /// The bytes of these events.
    pub bytes: usize,
    /// The id of the newest event; before the first event, the id of the position before it.
    pub newest: EventId,
    /// True if the newest event is the last.
    pub is_finished: bool,
    /// True if its [`Follower`](crate::Follower) runs, or if there is no store to follow.
    pub is_followed: bool,
}

/// The number of streams and events of a topic at a moment.
///
/// ```
/// use sse_core::{EventLog, TopicStats};
///
/// let log = EventLog::in_memory(1000);
/// let stats: Vec<(_, TopicStats)> = log.topic_stats();
/// assert!(stats.is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicStats {
    /// The number of streams that ask for it.
    pub open_streams: usize,
    /// The number of its events that the log keeps in memory.
    pub events: usize,
}
