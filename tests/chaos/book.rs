//! The appended events, the knowledge of them, and the events that each client got.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use sse_core::{Epoch, EventId, Position};

use crate::faults::Kind;
use crate::summary::Counts;
use crate::trail::Trail;

/// Each event has one, which its data begins with.
pub(crate) type Number = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not known yet, or never.
    Unknown,
    Stored,
    /// Certainly not stored.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    None,
    /// From then on it may be missing.
    Wanted,
    /// From then on it must.
    Done(Instant),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) size: usize,
    pub(crate) key: Option<u64>,
    /// The idempotency key.
    pub(crate) once: Option<u64>,
    /// The first event of its batch, and how many that has.
    pub(crate) batch: Option<(Number, u64)>,
    pub(crate) outcome: Outcome,
    pub(crate) deletion: Deletion,
    pub(crate) round: u64,
    pub(crate) position: Option<Position>,
}

/// The event that an id is known to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Number(Number),
    /// An event of this idempotency key.
    Once(u64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) named: Named,
    pub(crate) at: Instant,
}

#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) entries: HashMap<Number, Entry>,
    next: Number,
    /// The events that each epoch is known to have had, by acknowledgements and by the clients' streams.
    pub(crate) lines: HashMap<Epoch, BTreeMap<Position, Known>>,
    pub(crate) trails: Vec<Trail>,
    pub(crate) round: u64,
    /// The round in which the epoch began that there is, and when.
    pub(crate) epoch_since: (u64, Instant),
    /// The floor of the log at the beginning of the round.
    pub(crate) floor: Position,
    /// Events that were learned of from then on may be lost, in this round, if clients are told.
    pub(crate) lost_since: Option<Instant>,
    /// The fault of this round.
    pub(crate) kind: Kind,
    /// That an id was given again, after a loss that is still to be noticed.
    pub(crate) given_twice: Option<String>,
    /// Since when nothing is done to the engine.
    pub(crate) calm_since: Option<Instant>,
    pub(crate) failure: Option<String>,
    pub(crate) counts: Counts,
    /// Acknowledged lately, to be deleted.
    recent: Vec<(EventId, Number)>,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            next: 0,
            lines: HashMap::new(),
            trails: Vec::new(),
            round: 0,
            epoch_since: (0, Instant::now()),
            floor: Position::START,
            lost_since: None,
            kind: Kind::Nothing,
            given_twice: None,
            calm_since: Some(Instant::now()),
            failure: None,
            counts: Counts::default(),
            recent: Vec::new(),
        }
    }

    /// The first failure is told, with whatever followed from it left out.
    pub(crate) fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(format!("round {}: {failure}", self.round));
    }

    /// An event that is about to be appended, and its data.
    pub(crate) fn begin(
        &mut self,
        size: usize,
        key: Option<u64>,
        once: Option<u64>,
    ) -> (Number, String) {
        self.next += 1;
        let (outcome, deletion) = (Outcome::Unknown, Deletion::None);
        let (batch, round, position) = (None, self.round, None);
        let entry = Entry { size, key, once, batch, outcome, deletion, round, position };
        self.entries.insert(self.next, entry);
        self.counts.appended += 1;
        (self.next, text(self.next, size))
    }

    /// The answer to an append: the event has this id.
    pub(crate) fn stored(&mut self, number: Number, id: &EventId) {
        let Some((epoch, position)) = parts(id.as_str()) else {
            return self.fail(format!("{id} is not an id"));
        };
        self.counts.acknowledged += 1;
        let entry = self.entries.get_mut(&number).expect("it was begun");
        entry.outcome = Outcome::Stored;
        // With an idempotency key it may be the other process's event.
        let named = entry.once.map_or(Named::Number(number), Named::Once);
        if let Some(once) = entry.once {
            self.counts.once.entry(once).and_modify(|times| *times += 1).or_insert(1);
        }
        if self.learn(epoch, position, named) && matches!(named, Named::Number(_)) {
            let len = self.recent.len();
            if len > 50 {
                self.recent.swap_remove((number % len as u64) as usize);
            }
            self.recent.push((id.clone(), number));
        }
    }

    pub(crate) fn not_stored(&mut self, number: Number, is_unknown: bool) {
        let entry = self.entries.get_mut(&number).expect("it was begun");
        match is_unknown {
            true => self.counts.unknown += 1,
            false => {
                entry.outcome = Outcome::Refused;
                self.counts.refused += 1;
            }
        }
    }

    /// Takes note of what an id stands for; whether that agrees with what was known.
    pub(crate) fn learn(&mut self, epoch: Epoch, position: Position, named: Named) -> bool {
        let at = Instant::now();
        let once_of = |number: &Number| self.entries.get(number).and_then(|entry| entry.once);
        let line = self.lines.entry(epoch).or_default();
        let known = line.entry(position).or_insert(Known { named, at });
        let agrees = match (known.named, named) {
            (Named::Number(number), Named::Once(once)) => once_of(&number) == Some(once),
            (Named::Once(once), Named::Number(number)) => {
                known.named = named;
                once_of(&number) == Some(once)
            }
            (known, named) => known == named,
        };
        if !agrees {
            let (other, at) = (known.named, known.at);
            known.named = named;
            let (this, other) = (self.told(named), self.told(other));
            let failure = format!("{epoch}.{position} is the id of {other} and of {this}");
            match self.kind == Kind::Restore && self.may_be_lost(at) {
                // Nobody could know before a process noticed that it had seen more. So an epoch has to begin.
                true => self.given_twice = Some(failure),
                false => self.fail(failure),
            }
        }
        if let Named::Number(number) = named
            && let Some(entry) = self.entries.get_mut(&number)
        {
            match entry.position.replace(position) {
                Some(other) if other != position && entry.once.is_none() => {
                    self.fail(format!("{number} is at {other} and at {position} of {epoch}"));
                    return false;
                }
                _ => {}
            }
        }
        agrees
    }

    /// For a person to find out about it.
    pub(crate) fn told(&self, named: Named) -> String {
        match named {
            Named::Number(number) => format!("event {number} {:?}", self.entries.get(&number)),
            Named::Once(once) => format!("an event with the idempotency key {once}"),
        }
    }

    /// One that was acknowledged lately.
    pub(crate) fn recent(&mut self, chance: usize) -> Option<(EventId, Number)> {
        match self.recent.len() {
            0 => None,
            len => Some(self.recent.swap_remove(chance % len)),
        }
    }

    /// From now on it may be missing.
    pub(crate) fn wants_deleted(&mut self, number: Number) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.deletion = Deletion::Wanted;
        }
    }

    pub(crate) fn deleted(&mut self, number: Number) {
        self.counts.deleted += 1;
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.deletion = Deletion::Done(Instant::now());
        }
    }
}

/// The data of an event.
pub(crate) fn text(number: Number, size: usize) -> String {
    format!("{number} {}", "x".repeat(size))
}

/// The epoch and the position that an id names.
pub(crate) fn parts(id: &str) -> Option<(Epoch, Position)> {
    let (epoch, position) = id.split_once('.')?;
    Some((epoch.parse().ok()?, position.parse().ok()?))
}
