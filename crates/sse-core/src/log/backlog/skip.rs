//! The way to the position after the first events of a log, for clients that count the events that they have.

use crate::store::PageLimit;
use crate::{GapReason, Position};

/// The most events that a client can have counted.
pub(crate) const MOST: usize = 1_000_000;

/// The events that are looked at under one lock, and in one page of a store.
pub(crate) const AT_ONCE: PageLimit = PageLimit { events: 1000, bytes: 1 << 20 };

/// The way to the position after the first events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skip {
    pub(crate) count: usize,
    /// The events that are still to be skipped after this position.
    pub(crate) left: usize,
    pub(crate) after: Position,
}

/// The way from the end of a log to the position before its newest events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Back {
    /// The events that are still to be passed, and the one after which the client begins.
    pub(crate) left: usize,
    pub(crate) before: Position,
}

impl Back {
    /// Returns the way to the position before this many events.
    pub(crate) fn new(count: usize) -> Self {
        Self { left: count.saturating_add(1), before: Position::MAX }
    }
}

/// The result of a step.
pub(crate) enum Skipped {
    /// The position after the first events, none of which is missing.
    After(Position),
    /// A gap: some of them are no longer there, or there never were so many.
    Gone(GapReason),
    /// More steps are needed.
    More(Skip),
    /// Only the store has them.
    Ask,
}

/// The part of a log over a store in which no event has a key: none there has ever superseded another.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keyless {
    pub(crate) upto: Position,
    pub(crate) has_keys: bool,
}

impl Skip {
    /// Returns the way from the beginning of the log.
    pub(crate) fn new(count: usize) -> Self {
        Self { count, left: count, after: Position::START }
    }
}
