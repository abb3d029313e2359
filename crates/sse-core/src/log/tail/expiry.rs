//! The times at which the events of a tail came, and the events that are too old.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Position;

/// The times at which events came, in a log that keeps them only for some time.
#[derive(Debug)]
pub(crate) struct Ages {
    limit: Duration,
    /// The newest event that has become too old. It may still be kept, if it is the newest of all.
    expired: Position,
    /// The time within which events count as one moment.
    moment: Duration,
    /// The newest event of each moment, oldest first.
    moments: VecDeque<(Instant, Position)>,
}

/// The number of moments within the limit; none is shorter than 1 ms. It bounds the memory for events that were replaced.
const MOMENTS: u32 = 1024;

impl Ages {
    pub(crate) fn new(limit: Duration) -> Self {
        let moment = (limit / MOMENTS).max(Duration::from_millis(1));
        Self { limit, expired: Position::START, moment, moments: VecDeque::new() }
    }

    /// Returns the same limit, without events.
    pub(crate) fn emptied(self) -> Self {
        Self::new(self.limit)
    }

    /// Records that an event has come.
    pub(crate) fn push(&mut self, position: Position, now: Instant) {
        match self.moments.back_mut() {
            Some((moment, newest)) if now.saturating_duration_since(*moment) < self.moment => {
                *newest = position;
            }
            _ => self.moments.push_back((now, position)),
        }
    }

    /// Returns the newest event that is too old by now, or the start if there is none.
    pub(crate) fn expired(&mut self, now: Instant) -> Position {
        while let Some((moment, newest)) = self.moments.front()
            && now.saturating_duration_since(*moment) > self.limit
        {
            self.expired = *newest;
            self.moments.pop_front();
        }
        self.expired
    }

    /// Forgets the events up to this one, which are no longer kept.
    pub(crate) fn drop_upto(&mut self, position: Position) {
        while self.moments.front().is_some_and(|(_, newest)| *newest <= position) {
            self.moments.pop_front();
        }
    }
}

/// The result of dropping old events: all of them, or some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    All,
    Some,
}

impl Expired {
    pub(crate) fn is_all(self) -> bool {
        self == Self::All
    }
}
