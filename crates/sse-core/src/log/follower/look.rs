//! The result of looking for the events that a store must still have.

use crate::log::backlog::fingerprint::{Seen, Trace};
use crate::log::follower::expected::Expected;
use crate::log::handle::EventLog;
use crate::store::{Bounds, Page};
use crate::{Epoch, Position};

/// The state of the newest events.
pub(crate) enum Found {
    /// The events are there, or were deleted or dropped.
    Same(Bounds),
    /// The log is in another epoch.
    Elsewhere,
    Lost(Epoch),
    /// The bounds went back. That alone proves a loss: at the next call, other events may have filled the gap.
    Missed(Epoch),
}

/// The findings so far.
pub(crate) struct Look<'a> {
    expected: &'a Expected,
    pub(crate) bounds: Option<Bounds>,
    /// The absent events that may have been deleted, each with the number of deletions before.
    absent: Vec<(Position, u64)>,
    /// The absent events whose replacement the follower may still have to bring.
    unsettled: Vec<Seen>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(expected: &'a Expected) -> Self {
        Self { expected, bounds: None, absent: Vec::new(), unsettled: Vec::new() }
    }

    /// Records the trace of an event. Returns the result if that already decides it.
    pub(crate) fn take(&mut self, event: &Seen, (page, trace): (Page, Trace)) -> Option<Found> {
        let bounds = page.bounds;
        self.bounds = Some(bounds);
        if bounds.epoch != self.expected.epoch {
            return Some(Found::Elsewhere);
        }
        if self.expected.is_missed_by(&bounds) {
            return Some(Found::Missed(bounds.epoch));
        }
        match trace {
            Trace::Found | Trace::Hidden => None,
            Trace::Other => Some(Found::Lost(bounds.epoch)),
            Trace::Absent => {
                let absent = (event.position, event.deletions);
                if !self.absent.contains(&absent) {
                    self.absent.push(absent);
                }
                self.is_too_much(bounds.deletions).then_some(Found::Lost(bounds.epoch))
            }
            Trace::Unsettled(newest) => {
                self.unsettled.push(event.clone().absent_at(newest));
                None
            }
        }
    }

    /// Returns true if more events are absent than were deleted, since any time.
    fn is_too_much(&self, deletions: u64) -> bool {
        self.absent.iter().any(|(_, since)| {
            let absent = self.absent.iter().filter(|(_, other)| other >= since).count();
            absent as u64 > deletions.saturating_sub(*since)
        })
    }
}

impl EventLog {
    /// Records that nothing is lost: the event at this position was there, and the absent events were deleted or dropped, or may have been.
    pub(crate) fn confirm(&self, look: Look<'_>, found: Option<Position>) {
        let Look { expected, absent, unsettled, .. } = look;
        let absent: Vec<_> = absent.into_iter().map(|(event, _)| event).collect();
        let mut state = self.lock();
        let is_of_now = state.tail.epoch() == expected.epoch;
        let Some(backlog) = state.backing.stored_mut().filter(|_| is_of_now) else { return };
        backlog.recent.forget(&absent);
        backlog.recent.settle(&expected.uncertain, unsettled);
        if let Some(found) = found {
            backlog.recent.confirm(found, expected.deletions);
        }
    }
}
