//! The events that one client got.

use std::time::{Duration, Instant};

use sse_core::{Epoch, Position};
use sse_test_kit::parser::Parsed;

use crate::book::{Book, Deletion, Named, Number, Outcome, parts, text};
use crate::faults::Kind;

/// The time after a deletion in which other processes may still give the event: `store_check`, and some time
const DELETED_WITHIN: Duration = Duration::from_secs(5);
/// The same while the line is slow: word of the deletion comes after what was on its way before.
const DELETED_WITHIN_ON_A_SLOW_LINE: Duration = Duration::from_secs(30);

/// All of it since the end of the last round.
#[derive(Debug)]
pub(crate) struct Trail {
    /// Each but the first begins with a `reset`.
    pub(crate) segments: Vec<Segment>,
    /// The gaps within an epoch that it was told of: its position before, and the one that it was given.
    pub(crate) too_old: Vec<(Epoch, Position)>,
    /// To be told where it stands.
    pub(crate) process: usize,
    pub(crate) connections: u64,
    pub(crate) received: u64,
    pub(crate) resets: u64,
}

/// Events that came one after the other, without a `reset`.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) epoch: Epoch,
    /// The position that it begins after.
    pub(crate) from: Position,
    /// True if all that is kept was to come after that.
    pub(crate) is_all: bool,
    pub(crate) events: Vec<(Position, Number)>,
}

impl Trail {
    pub(crate) fn new(epoch: Epoch, from: Position) -> Self {
        let segments = vec![Segment::new(epoch, from, false)];
        let (process, connections, received, resets) = (0, 0, 0, 0);
        Self { segments, too_old: Vec::new(), process, connections, received, resets }
    }

    pub(crate) fn last(&self) -> &Segment {
        self.segments.last().expect("one at least")
    }

    pub(crate) fn last_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("one at least")
    }

    /// Forgets all but where it is.
    pub(crate) fn begin_a_round(&mut self) {
        let (epoch, at) = (self.last().epoch, self.last().at());
        self.segments = vec![Segment::new(epoch, at, false)];
        self.too_old.clear();
    }
}

impl Segment {
    pub(crate) fn new(epoch: Epoch, from: Position, is_all: bool) -> Self {
        Self { epoch, from, is_all, events: Vec::new() }
    }

    /// Returns its end.
    pub(crate) fn at(&self) -> Position {
        self.events.last().map_or(self.from, |(position, _)| *position)
    }

    pub(crate) fn has(&self, number: Number) -> bool {
        self.events.iter().any(|(_, other)| *other == number)
    }
}

impl Book {
    /// Records an event that a client got.
    pub(crate) fn received(&mut self, client: usize, event: &Parsed) {
        let Some((epoch, position)) = parts(&event.last_event_id) else {
            return self.fail(format!("client {client} got {event:?}, which has no id of a log"));
        };
        if event.event_type == "reset" {
            return self.was_reset(client, event, epoch, position);
        }
        let trail = &mut self.trails[client];
        trail.received += 1;
        let (at, of) = (trail.last().at(), trail.last().epoch);
        let number = event.data.split(' ').next().and_then(|number| number.parse().ok());
        let number = number.unwrap_or_default();
        trail.last_mut().events.push((position, number));
        let Some(entry) = self.entries.get(&number) else {
            let id = &event.last_event_id;
            return self
                .fail(format!("client {client} got {number} at {id}, which nobody has appended"));
        };
        let within = match self.kind {
            Kind::Slow => DELETED_WITHIN_ON_A_SLOW_LINE,
            _ => DELETED_WITHIN,
        };
        let is_late = |deleted: Instant| {
            let from = self.calm_since.map(|calm| calm.max(deleted));
            from.is_some_and(|from| from.elapsed() > within)
        };
        let problem = match entry.deletion {
            _ if event.data != text(number, entry.size) => "that is not what was appended",
            _ if entry.outcome == Outcome::Refused => "and the append was said to have failed",
            _ if epoch != of => "of another epoch, without a reset",
            _ if position <= at => "repeated, or out of order",
            Deletion::Done(deleted) if is_late(deleted) => "which was deleted long ago",
            _ => "",
        };
        if !problem.is_empty() {
            self.fail(format!(
                "client {client} got {number} at {epoch}.{position} after {of}.{at}: {problem}"
            ));
        }
        self.learn(epoch, position, Named::Number(number));
    }

    fn was_reset(&mut self, client: usize, event: &Parsed, epoch: Epoch, position: Position) {
        self.counts.resets += 1;
        let said: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_default();
        let trail = &mut self.trails[client];
        let (at, of) = (trail.last().at(), trail.last().epoch);
        trail.resets += 1;
        trail.segments.push(Segment::new(epoch, position, true));
        let is_right = match said["reason"].as_str() {
            Some("too-old") => {
                trail.too_old.push((of, at));
                true
            }
            Some("other-epoch") => of != epoch,
            Some("ahead-of-head") => self.lost_since.is_some(),
            _ => false,
        };
        if !is_right {
            self.fail(format!(
                "client {client} at {of}.{at} was told of a gap that does not exist: {event:?}"
            ));
        }
    }
}
