//! What was found of the events that a store must have still.

use crate::log::backlog::fingerprint::{Seen, Trace};
use crate::log::follower::expected::Expected;
use crate::log::handle::EventLog;
use crate::store::{Bounds, Page};
use crate::{Epoch, Position};

/// What has become of the newest events.
pub(crate) enum Found {
    /// They are there, or gone by right.
    Same(Bounds),
    /// The log is in another epoch.
    Elsewhere,
    Lost(Epoch),
    /// The bounds were less than they were. That is proof: when they are asked for again, others may have filled the gap.
    Missed(Epoch),
}

/// What was found so far.
pub(crate) struct Look<'a> {
    expected: &'a Expected,
    pub(crate) bounds: Option<Bounds>,
    /// What was not there, as far as that may be because it was deleted; and how many deletions there were before that.
    absent: Vec<(Position, u64)>,
    /// What is not there, and what may have taken its place has still to be followed to.
    unsettled: Vec<Seen>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(expected: &'a Expected) -> Self {
        Self { expected, bounds: None, absent: Vec::new(), unsettled: Vec::new() }
    }

    /// Takes note of what was found of an event, unless that says all.
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
                self.unsettled.push(event.clone().gone_by(newest));
                None
            }
        }
    }

    /// Whether more is absent than was deleted, since any time.
    fn is_too_much(&self, deletions: u64) -> bool {
        self.absent.iter().any(|(_, since)| {
            let absent = self.absent.iter().filter(|(_, other)| other >= since).count();
            absent as u64 > deletions.saturating_sub(*since)
        })
    }
}

impl EventLog {
    /// Nothing is lost: the event at this position was there when it was looked for, and what was not there is gone by right, or may be.
    pub(crate) fn confirm(&self, look: Look<'_>, found: Option<Position>) {
        let Look { expected, absent, unsettled, .. } = look;
        let absent: Vec<_> = absent.into_iter().map(|(event, _)| event).collect();
        let mut state = self.lock();
        let is_of_now = state.tail.epoch() == expected.epoch;
        let Some(behind) = state.behind.as_mut().filter(|_| is_of_now) else { return };
        behind.recent.forget(&absent);
        behind.recent.settle(&expected.uncertain, unsettled);
        if let Some(found) = found {
            behind.recent.confirm(found, expected.deletions);
        }
    }
}
