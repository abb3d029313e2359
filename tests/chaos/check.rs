//! The end of a round: what was acknowledged, and what clients were given, is held against what the log has.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use sse_core::store::Bounds;
use sse_core::{Epoch, Position};

use crate::book::{Book, Deletion, Known, Named, Number, Outcome};
use crate::faults::Kind;
use crate::options::KEPT;
use crate::trail::Segment;

/// The log as a new reader sees it.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) bounds: Bounds,
    pub(crate) events: Vec<(Position, Number)>,
    pub(crate) read_at: Instant,
}

impl Book {
    /// Tells whether this client is where the log ends: at the marker, in the epoch that there is.
    pub(crate) fn has(&self, client: usize, marker: Number, epoch: Epoch) -> bool {
        let last = self.trails[client].last();
        last.epoch == epoch && last.has(marker)
    }

    /// Nothing is on its way, and each client has the marker.
    pub(crate) fn check(&mut self, truth: &Truth, before: Epoch) {
        let epoch = truth.bounds.epoch;
        if epoch != before && !self.kind.may_begin_an_epoch() {
            self.fail(format!("epoch {epoch} has begun after {before}, and nothing was lost"));
        }
        if let Some(twice) = self.given_twice.take().filter(|_| epoch == before) {
            self.fail(twice);
        }
        let mut last = Position::START;
        for (position, number) in &truth.events {
            if *position <= last {
                self.fail(format!("{number} is read at {position}, after {last}"));
            }
            last = *position;
            self.check_kept(*number, truth);
            // A lost deletion does not count.
            if let Some(entry) = self.entries.get_mut(number)
                && entry.deletion != Deletion::None
            {
                entry.deletion = Deletion::Wanted;
            }
            self.learn(epoch, *position, Named::Number(*number));
        }
        self.check_floor(truth, before);
        self.check_batches(truth);
        self.check_once(truth, before);
        self.check_lines(truth);
        for client in 0..self.trails.len() {
            self.check_trail(client, truth);
        }
    }

    /// Begins the next round with what is kept.
    pub(crate) fn begin_a_round(&mut self, truth: &Truth, before: Epoch) {
        let known = |(position, number): &(Position, Number)| {
            (*position, Known { named: Named::Number(*number), at: truth.read_at })
        };
        self.lines =
            HashMap::from([(truth.bounds.epoch, truth.events.iter().map(known).collect())]);
        let kept: HashSet<Number> = truth.events.iter().map(|(_, number)| *number).collect();
        let round = self.round;
        self.entries.retain(|number, entry| {
            let may_come_back =
                entry.outcome != Outcome::Stored || entry.deletion != Deletion::None;
            // An event that another has taken the place of may still be given, after a gap.
            let is_keyed = entry.key.is_some();
            kept.contains(number) || may_come_back || is_keyed || entry.round >= round
        });
        self.trails.iter_mut().for_each(|trail| trail.begin_a_round());
        if truth.bounds.epoch != before {
            self.epoch_since = (self.round, truth.read_at);
        }
        self.round += 1;
        self.floor = truth.bounds.floor;
        self.lost_since = None;
    }

    fn check_kept(&mut self, number: Number, truth: &Truth) {
        let problem = match self.entries.get(&number) {
            None => "which nobody has appended",
            Some(entry) if entry.outcome == Outcome::Refused => "the append of which has failed",
            Some(entry) => match entry.deletion {
                Deletion::Done(at) if at < truth.read_at && !self.may_be_lost(at) => {
                    "which was deleted"
                }
                _ => return,
            },
        };
        self.fail(format!("the log has {number}, {problem}"));
    }

    /// The log drops its oldest events if it has too many, and for no other reason: none becomes too old.
    fn check_floor(&mut self, truth: &Truth, before: Epoch) {
        let Bounds { epoch, floor, .. } = truth.bounds;
        // An idempotency key may name an event that was dropped in an earlier round.
        let begin = if epoch == before { self.floor } else { Position::START };
        let line = &self.lines[&epoch];
        let dropped = line.range(..=floor).filter(|(position, _)| **position > begin).count();
        let later = line.range(floor.next()..).count(); // also those that were deleted, or replaced by key
        if dropped > 0 && later < KEPT * 9 / 10 && !self.kind.may_drop() {
            self.fail(format!(
                "{dropped} events were dropped, up to {floor}, before {later} others"
            ));
        }
    }

    /// Checks that each event that was known is still there, unless something permits its loss.
    fn check_lines(&mut self, truth: &Truth) {
        let (epoch, floor) = (truth.bounds.epoch, truth.bounds.floor);
        let now: HashSet<Position> = truth.events.iter().map(|(position, _)| *position).collect();
        let mut failures = Vec::new();
        let newest = self.newest_of_keys();
        for (of, line) in &self.lines {
            for (position, known) in line {
                // A new epoch is word of a loss.
                let is_lost = *of != epoch && self.may_be_lost(known.at);
                let is_there = now.contains(position) || *position <= floor;
                if !is_there && !is_lost && !self.may_be_missing(*position, known.named, &newest) {
                    failures.push(format!(
                        "{}, known to be at {of}.{position}, is gone in silence: the log is {:?}",
                        self.told(known.named),
                        truth.bounds
                    ));
                }
            }
        }
        failures.into_iter().for_each(|failure| self.fail(failure));
    }

    fn check_trail(&mut self, client: usize, truth: &Truth) {
        let mut failures = Vec::new();
        let trail = &self.trails[client];
        for (place, segment) in trail.segments.iter().enumerate() {
            // A client that is told right after that is told.
            let next = trail.segments.get(place + 1);
            let is_told = next.is_some_and(|next| next.epoch != segment.epoch);
            if let Some(missing) = self.missing(segment, is_told) {
                let (epoch, from, at) = (segment.epoch, segment.from, segment.at());
                failures.push(format!(
                    "client {client} was never given {}, at {}, between {epoch}.{from} and {at}",
                    self.told(missing.1),
                    missing.0
                ));
            }
            let kept = truth.events.first().filter(|(position, _)| *position <= segment.from);
            if let Some(kept) =
                kept.filter(|_| segment.is_all && segment.epoch == truth.bounds.epoch)
            {
                failures.push(format!(
                    "client {client} was told to go on after {}, and {kept:?} is kept",
                    segment.from
                ));
            }
        }
        for (epoch, at) in trail.too_old.iter().filter(|(epoch, _)| *epoch == truth.bounds.epoch) {
            // A trim by another program shows only by the events that are left: a client at the last trimmed one is told, too.
            let from = if self.kind == Kind::Trim { *at } else { at.next() };
            let gone = from..=truth.bounds.floor;
            let is_gone = |(position, _): (&Position, &Known)| gone.contains(position);
            if !self.lines[epoch].iter().any(is_gone) {
                failures.push(format!(
                    "client {client} at {at} was told that it is too old: it is not; the log is {:?}",
                    truth.bounds
                ));
            }
        }
        failures.into_iter().for_each(|failure| self.fail(failure));
    }

    /// Returns an event that a client has missed that went from one end of this segment to the other.
    fn missing(&self, segment: &Segment, is_told: bool) -> Option<(Position, Named)> {
        let line = self.lines.get(&segment.epoch)?;
        let given: HashSet<Position> =
            segment.events.iter().map(|(position, _)| *position).collect();
        let newest = self.newest_of_keys();
        let passed = line
            .iter()
            .filter(|(position, _)| **position > segment.from && **position <= segment.at());
        let mut missing = passed.filter(|(position, known)| {
            !(given.contains(position) || is_told && self.may_be_lost(known.at))
        });
        let missing = missing
            .find(|(position, known)| !self.may_be_missing(**position, known.named, &newest));
        missing.map(|(position, known)| (*position, known.named))
    }

    /// Deleted, or another of its key has come after it.
    fn may_be_missing(
        &self,
        position: Position,
        named: Named,
        newest: &HashMap<u64, Position>,
    ) -> bool {
        let may_be = |number: &Number| {
            self.entries.get(number).is_none_or(|entry| {
                let newer = entry.key.and_then(|key| newest.get(&key));
                entry.deletion != Deletion::None || newer.is_some_and(|newer| *newer > position)
            })
        };
        match named {
            Named::Number(number) => may_be(&number),
            Named::Once(once) => {
                let mut entries = self.entries.iter().filter(|(_, entry)| entry.once == Some(once));
                entries.any(|(number, _)| may_be(number))
            }
        }
    }

    /// The newest event of each key, in whichever epoch it was seen. One whose append has an unknown outcome may have been stored, and taken
    /// the place of all others.
    fn newest_of_keys(&self) -> HashMap<u64, Position> {
        let mut newest = HashMap::new();
        for (position, known) in self.lines.values().flatten() {
            if let Named::Number(number) = known.named
                && let Some(key) = self.entries.get(&number).and_then(|entry| entry.key)
            {
                let newest = newest.entry(key).or_insert(*position);
                *newest = (*newest).max(*position);
            }
        }
        let is_recent = |round: u64| round + 1 >= self.round;
        for entry in self.entries.values() {
            if let Some(key) = entry.key
                && entry.outcome == Outcome::Unknown
                && entry.position.is_none()
                && is_recent(entry.round)
            {
                newest.insert(key, Position::MAX);
            }
        }
        newest
    }

    pub(crate) fn may_be_lost(&self, known_at: Instant) -> bool {
        self.lost_since.is_some_and(|since| known_at >= since)
    }
}
