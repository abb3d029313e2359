//! When the events of a tail came, and which are too old.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Position;

/// When events came, in a log that keeps them only for some time.
#[derive(Debug)]
pub(crate) struct Ages {
    limit: Duration,
    /// The newest event that has become too old. It may be kept still, if it is the newest of all.
    expired: Position,
    /// Events that come within this time of one another are of one moment.
    moment: Duration,
    /// The newest event of each moment, oldest first.
    moments: VecDeque<(Instant, Position)>,
}

/// How many moments there are within the limit; none is shorter than a millisecond. It bounds what is held of events that were replaced.
const MOMENTS: u32 = 1024;

impl Ages {
    pub(crate) fn new(limit: Duration) -> Self {
        let moment = (limit / MOMENTS).max(Duration::from_millis(1));
        Self { limit, expired: Position::START, moment, moments: VecDeque::new() }
    }

    /// The same limit, of other events.
    pub(crate) fn emptied(self) -> Self {
        Self::new(self.limit)
    }

    /// An event has come.
    pub(crate) fn push(&mut self, position: Position, now: Instant) {
        match self.moments.back_mut() {
            Some((moment, newest)) if now.saturating_duration_since(*moment) < self.moment => {
                *newest = position;
            }
            _ => self.moments.push_back((now, position)),
        }
    }

    /// The newest event that is too old by now; the start where none is.
    pub(crate) fn expired(&mut self, now: Instant) -> Position {
        while let Some((moment, newest)) = self.moments.front()
            && now.saturating_duration_since(*moment) > self.limit
        {
            self.expired = *newest;
            self.moments.pop_front();
        }
        self.expired
    }

    /// The events up to this one are no longer kept.
    pub(crate) fn let_go(&mut self, position: Position) {
        while self.moments.front().is_some_and(|(_, newest)| *newest <= position) {
            self.moments.pop_front();
        }
    }
}

/// Whether all that is too old was dropped.
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
