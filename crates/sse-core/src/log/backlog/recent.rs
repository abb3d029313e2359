use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Position;
use crate::log::backlog::fingerprint::Seen;
use crate::store::{Bounds, StoredEvent};

/// The number of followed events that are remembered: if the newest was deleted, the one before it shows whether the store is the same.
const FOLLOWED: usize = 8;
/// The number of acknowledged events that are remembered until the follower brings them. If there are more, every second is forgotten.
const PENDING: usize = 64;
/// The number of events searched for at a time: those that the follower went past without bringing them.
const MISSING: usize = 8;
/// The number of events to remember, and the shortest pause that counts. Each event was the newest before one of the longest pauses: after a
/// pause the same connection may continue with another history.
const PAUSED: (usize, Duration) = (7, Duration::from_millis(500));

/// The newest events that the store has given or acknowledged, and other events that it must not lose.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// The events that the follower has brought, oldest first. Without a pause between them they have one history: if the newest is there, so
    /// are the others.
    followed: VecDeque<Seen>,
    /// The events that were acknowledged to this process and that the follower has still to bring, oldest first. Each may have another
    /// history.
    pending: VecDeque<Seen>,
    /// The events that the follower should have brought by now.
    missing: Vec<Seen>,
    /// The events that were the newest for a while, and for how long.
    paused: Vec<(Duration, Seen)>,
    /// The time at which the follower last brought an event.
    came: Option<Instant>,
    /// The newest event that was acknowledged.
    acknowledged: Position,
    /// True if a reply of the store may mean that it has lost events.
    is_doubtful: bool,
}

impl Recent {
    /// Records an event that the follower has brought, newer than those before it. The store had this number of deletions; `more` events
    /// follow in the same page.
    pub(crate) fn follow(&mut self, event: &StoredEvent, deletions: u64, more: usize) {
        self.pass(event.position.previous());
        self.supersede(event);
        let pending = self.take_pending(event.position);
        if pending.is_none() && more >= FOLLOWED {
            return; // the events that follow replace it: its content need not be hashed
        }
        let event = Seen::of(event, deletions);
        if let Some(pending) = pending.filter(|pending| !pending.is_same(&event)) {
            self.miss(pending);
        }
        if self.followed.len() == FOLLOWED {
            self.followed.pop_front();
        }
        self.followed.push_back(event);
    }

    /// Forgets the events that this event supersedes.
    fn supersede(&mut self, newer: &StoredEvent) {
        if newer.key.is_none() {
            return;
        }
        let is_kept = |event: &Seen| !event.is_superseded_by(newer);
        self.followed.retain(is_kept);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
    }

    /// Records that the follower brings events at this time.
    pub(crate) fn begin_page(&mut self, now: Instant) {
        let before = self.came.replace(now).unwrap_or(now);
        let pause = now.saturating_duration_since(before);
        if let Some(newest) = self.followed.back().filter(|_| pause >= PAUSED.1) {
            self.paused.push((pause, newest.clone()));
            self.paused.sort_by_key(|(pause, _)| Reverse(*pause));
            self.paused.truncate(PAUSED.0);
        }
    }

    /// Records that the follower has brought all events up to this position.
    pub(crate) fn pass(&mut self, newest: Position) {
        while let Some(pending) = self.take_pending(newest) {
            self.miss(pending);
        }
    }

    /// Takes the oldest event that the follower has still to bring, up to this position.
    fn take_pending(&mut self, newest: Position) -> Option<Seen> {
        if self.pending.front()?.position > newest { None } else { self.pending.pop_front() }
    }

    fn miss(&mut self, event: Seen) {
        if self.missing.len() < MISSING {
            self.missing.push(event);
        }
    }

    /// Records that the follower has brought a page with these bounds, and is at this position.
    pub(crate) fn end_page(&mut self, bounds: &Bounds, newest: Position) {
        self.missing.retain(|missing| missing.position > bounds.floor);
        self.is_doubtful |= self.missing.iter().any(|missing| missing.is_settled_at(newest));
    }

    /// Records that the store has acknowledged events up to this position.
    pub(crate) fn acknowledge(&mut self, newest: Position) {
        self.acknowledged = self.acknowledged.max(newest);
    }

    /// Records that the store has acknowledged this event while the follower was at `followed_to`.
    pub(crate) fn expect(&mut self, event: Seen, followed_to: Position) {
        if event.position > followed_to {
            let index = self.pending.partition_point(|pending| pending.position < event.position);
            self.pending.insert(index, event);
            if self.pending.len() > PENDING {
                let mut is_kept = false;
                self.pending.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
            }
        } else if let Some(known) =
            self.followed.iter().find(|known| known.position == event.position)
        {
            // One position has two events.
            self.is_doubtful |= !known.is_same(&event);
        }
    }

    pub(crate) fn acknowledged(&self) -> Position {
        self.acknowledged
    }

    pub(crate) fn followed(&self) -> Vec<Seen> {
        self.followed.iter().cloned().collect()
    }

    /// Returns the events that may be lost even if the newest followed event is there.
    pub(crate) fn uncertain(&self) -> Vec<Seen> {
        let paused = self.paused.iter().map(|(_, event)| event);
        self.missing.iter().chain(paused).cloned().collect()
    }

    /// Records the result of a check: none of `uncertain` is lost, except perhaps those of `unsettled`. These count as missing until the
    /// follower has come further.
    pub(crate) fn settle(&mut self, uncertain: &[Seen], mut unsettled: Vec<Seen>) {
        let known = |event: &Seen| {
            let paused = self.paused.iter().map(|(_, event)| event);
            let mut known = self.followed.iter().chain(&self.missing).chain(paused);
            known.any(|known| known.position == event.position)
        };
        // The follower may have brought the event that superseded one meanwhile.
        unsettled.retain(known);
        let is_kept = |event: &Seen| uncertain.iter().all(|other| event.position != other.position);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
        self.forget(&unsettled.iter().map(|event| event.position).collect::<Vec<_>>());
        unsettled.into_iter().for_each(|event| self.miss(event));
    }

    /// Forgets these events: the store may miss them.
    pub(crate) fn forget(&mut self, events: &[Position]) {
        let is_kept = |event: &Seen| !events.contains(&event.position);
        self.followed.retain(is_kept);
        self.pending.retain(is_kept);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
    }

    /// Records that this event was there when the store had this number of deletions.
    pub(crate) fn confirm(&mut self, event: Position, deletions: u64) {
        for known in self.followed.iter_mut().filter(|known| known.position == event) {
            known.deletions = known.deletions.max(deletions);
        }
    }

    pub(crate) fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    pub(crate) fn end_doubt(&mut self) {
        self.is_doubtful = false;
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }
}
