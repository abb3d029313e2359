use crate::EventId;

/// Where the stream of a client begins that is here for the first time: it brings no last event ID.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// With the next event. The default.
    #[default]
    Live,
    /// With the oldest event that is kept.
    Oldest,
    /// With this many of the newest events, or as many as are kept.
    Last(usize),
    /// After the event with this id, as if it were the client's last event ID; so it may be a gap.
    After(EventId),
}
