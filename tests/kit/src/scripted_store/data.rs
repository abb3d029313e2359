//! The data of the scripted store: events in order, and the facts about them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sse_core::store::{
    Appended, Bounds, EncodedEvent, PageLimit, Retention, StoreError, StoredEvent,
};
use sse_core::{Epoch, Position};

/// The positions that events get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// 1, 2, 3, as most engines have them.
    Dense,
    /// Two numbers with holes between them, as those have them that count milliseconds or transactions.
    Sparse,
}

impl Positions {
    fn after(self, newest: Position) -> Position {
        match self {
            Self::Dense => newest.next(),
            Self::Sparse if newest == Position::START => Position::new(1_700_000_000_000, 0),
            Self::Sparse if newest.lo() < 4 => Position::new(newest.hi(), newest.lo() + 2),
            Self::Sparse => Position::new(newest.hi() + 3, 0),
        }
    }
}

#[derive(Clone)]
pub(super) struct Data {
    positions: Positions,
    events: VecDeque<Kept>,
    epoch: Epoch,
    floor: Position,
    newest: Position,
    is_finished: bool,
    deletions: u64,
    /// The number of events that the engine keeps, by a limit of its own.
    pub(super) most: usize,
    /// The idempotency keys.
    known: HashMap<Arc<str>, (Instant, Position)>,
    /// The number of changes that followers are notified of.
    pub(super) changes: u64,
    /// The number of times that the bounds of a page may be of another life than its events.
    pub(super) lives: u64,
}

#[derive(Clone)]
struct Kept {
    event: StoredEvent,
    came: Instant,
}

impl Data {
    pub(super) fn new(positions: Positions) -> Self {
        Self {
            positions,
            events: VecDeque::new(),
            epoch: Epoch::random().expect("random numbers"),
            floor: Position::START,
            newest: Position::START,
            is_finished: false,
            deletions: 0,
            most: usize::MAX,
            known: HashMap::new(),
            changes: 0,
            lives: 0,
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            epoch: self.epoch,
            floor: self.floor,
            oldest: self.events.front().map(|kept| kept.event.position),
            newest: self.newest,
            is_finished: self.is_finished,
            deletions: self.deletions,
        }
    }

    pub(super) fn append(
        &mut self,
        events: &[EncodedEvent],
        now: Instant,
        window: Duration,
    ) -> Result<Appended, StoreError> {
        self.known.retain(|_, (came, _)| now.saturating_duration_since(*came) <= window);
        let is_known = |event: &EncodedEvent| {
            event.idempotency_key.as_ref().is_some_and(|key| self.known.contains_key(key))
        };
        if self.is_finished && !events.iter().all(is_known) {
            return Err(StoreError::Finished);
        }
        let positions = events.iter().map(|event| self.push(event, now)).collect();
        self.changes += 1;
        Ok(Appended { epoch: self.epoch, positions })
    }

    fn push(&mut self, event: &EncodedEvent, now: Instant) -> Position {
        let position = self.positions.after(self.newest);
        if let Some(key) = &event.idempotency_key {
            if let Some((_, known)) = self.known.get(key) {
                return *known;
            }
            self.known.insert(Arc::clone(key), (now, position));
        }
        if event.key.is_some() {
            self.events.retain(|kept| kept.event.key != event.key);
        }
        let event = StoredEvent {
            position,
            block: event.block.clone(),
            key: event.key.clone(),
            topics: event.topics.clone(),
        };
        self.events.push_back(Kept { event, came: now });
        self.newest = position;
        self.trim(self.events.len().saturating_sub(self.most));
        position
    }

    pub(super) fn read(&self, after: Position, limit: PageLimit) -> Vec<StoredEvent> {
        let first = self.events.partition_point(|kept| kept.event.position <= after);
        let mut bytes = 0;
        let fits = |(place, kept): &(usize, &Kept)| {
            bytes += kept.event.block.len();
            *place == 0 || (*place < limit.events && bytes <= limit.bytes)
        };
        let events = self.events.range(first..).enumerate().take_while(fits);
        events.map(|(_, kept)| kept.event.clone()).collect()
    }

    /// The age of the event at this position.
    pub(super) fn age(&self, event: Position, now: Instant) -> Option<Duration> {
        let kept = self.events.iter().find(|kept| kept.event.position == event)?;
        Some(now.saturating_duration_since(kept.came))
    }

    /// The position of the first event after this one.
    pub(super) fn first_after(&self, after: Position) -> Option<Position> {
        let first = self.events.partition_point(|kept| kept.event.position <= after);
        self.events.get(first).map(|kept| kept.event.position)
    }

    pub(super) fn before_last(&self, limit: PageLimit) -> Position {
        let mut bytes: usize = 0;
        let before = self.events.iter().rev().enumerate().find(|(place, kept)| {
            bytes = bytes.saturating_add(kept.event.block.len());
            *place >= limit.events || (*place > 0 && bytes > limit.bytes)
        });
        match before {
            _ if limit.events == 0 => self.newest,
            Some((_, kept)) => kept.event.position,
            None => self.floor,
        }
    }

    /// The times need not rise with the positions: an append has its time from before it is done.
    pub(super) fn before_since(&self, age: Duration, now: Instant) -> Position {
        let is_within = |kept: &Kept| now.saturating_duration_since(kept.came) <= age;
        match self.events.iter().position(is_within) {
            None => self.newest,
            Some(0) => self.floor,
            Some(first) => self.events[first - 1].event.position,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns the time after which the oldest is too old.
    pub(super) fn retain(&mut self, retention: &Retention, now: Instant) -> Option<Duration> {
        let age = |kept: &Kept| now.saturating_duration_since(kept.came);
        let is_too_old = |kept: &Kept| retention.age.is_some_and(|limit| age(kept) > limit);
        let mut bytes: usize = self.events.iter().map(|kept| kept.event.block.len()).sum();
        while let Some(oldest) = self.events.front()
            && self.events.len() > 1
            && (self.events.len() > retention.events
                || bytes > retention.bytes
                || is_too_old(oldest))
        {
            bytes -= oldest.event.block.len();
            self.trim(1);
        }
        let oldest = self.events.front().filter(|_| self.events.len() > 1)?;
        Some(retention.age?.saturating_sub(age(oldest)))
    }

    /// Drops the oldest events.
    pub(super) fn trim(&mut self, count: usize) {
        for trimmed in self.events.drain(..count.min(self.events.len())) {
            self.floor = trimmed.event.position;
        }
    }

    pub(super) fn finish(&mut self) {
        self.is_finished = true;
        self.changes += 1;
    }

    /// Both in one step.
    pub(super) fn finish_with(
        &mut self,
        events: &[EncodedEvent],
        now: Instant,
        window: Duration,
    ) -> Result<Appended, StoreError> {
        let appended = self.append(events, now, window)?;
        self.finish();
        Ok(appended)
    }

    pub(super) fn delete(&mut self, event: Position) {
        let before = self.events.len();
        self.events.retain(|kept| kept.event.position != event);
        if self.events.len() < before {
            self.deletions += 1;
            self.changes += 1;
        }
    }

    pub(super) fn begin_epoch(&mut self, instead_of: Epoch) -> Epoch {
        if self.epoch == instead_of {
            self.epoch = Epoch::random().expect("random numbers");
            self.known.clear();
            self.changes += 1;
            self.lives += 1;
        }
        self.epoch
    }
}
