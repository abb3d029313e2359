use std::time::Duration;

use crate::store::StoredEvent;
use crate::{Epoch, Position};

/// Some events of a log, in order, and what held once they had been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What there was when the events had been read.
    pub bounds: Bounds,
    /// Oldest first.
    pub events: Vec<StoredEvent>,
}

/// What a store has at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Which life of the log it is.
    pub epoch: Epoch,
    /// The lowest position after which nothing has been let go of: a client that was there can resume. It is below every event that is kept,
    /// and moves only upwards.
    pub floor: Position,
    /// The oldest event that is kept.
    pub oldest: Option<Position>,
    /// The position of the newest event there ever was in this epoch, kept or not; before the first, one that is not above it.
    pub newest: Position,
    /// Whether the newest event is the last.
    pub is_finished: bool,
    /// How many events were deleted in this epoch, or a larger number that grows by at least one with each: what is held in memory is then
    /// read again. If it falls within an epoch, the store has lost what it had.
    pub deletions: u64,
}

/// How much a page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// How many events.
    pub events: usize,
    /// How many bytes of blocks. One event is given whatever its size.
    pub bytes: usize,
}

impl PageLimit {
    /// The limit of so many events, whatever their size.
    pub const fn of_events(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// How much a log keeps. The newest event is, whatever its size and age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many events.
    pub events: usize,
    /// How many bytes of blocks.
    pub bytes: usize,
    /// For how long, if that matters.
    pub age: Option<Duration>,
}
