use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Position;
use crate::log::backlog::fingerprint::Seen;
use crate::store::{Bounds, StoredEvent};

/// How many events are known that were followed to: if the newest was deleted, the one before it says whether the store is the same.
const FOLLOWED: usize = 8;
/// How many are known that were acknowledged, and that the follower has still to bring. If there are more, every second one.
const PENDING: usize = 64;
/// How many are looked for at a time that the follower has passed without bringing them.
const MISSING: usize = 8;
/// How many are known after which nothing came for a while, and for how long at the least: another history may go on there, on the same
/// connection. Those with the longest pauses.
const PAUSED: (usize, Duration) = (7, Duration::from_millis(500));

/// The newest events that the store has given or taken, and what else it must not lose.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// What the follower has brought, oldest first. If nothing came between them they are of one history: if the newest is there, so are the
    /// others.
    followed: VecDeque<Seen>,
    /// What was acknowledged to this process and has still to be brought, oldest first. Each may be of another history.
    pending: VecDeque<Seen>,
    /// What should have been brought by now.
    missing: Vec<Seen>,
    /// What was the newest for a while, and for how long.
    paused: Vec<(Duration, Seen)>,
    /// When the follower has brought an event last.
    came: Option<Instant>,
    /// The newest event that was acknowledged.
    acknowledged: Position,
    /// Whether the store has said something that it would not say if it had lost nothing, or of which that is not known.
    is_doubtful: bool,
}

impl Recent {
    /// The follower has brought this event, which is newer than those before it, when the store had so many deletions. So many more are
    /// about to come.
    pub(crate) fn follow(&mut self, event: &StoredEvent, deletions: u64, more: usize) {
        self.pass(event.position.previous());
        self.supersede(event);
        let pending = self.take_pending(event.position);
        if pending.is_none() && more >= FOLLOWED {
            return; // those that come take its place: its content need not be looked at
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

    /// This event has taken the place of those that it supersedes: nobody needs to look for them.
    fn supersede(&mut self, newer: &StoredEvent) {
        if newer.key.is_none() {
            return;
        }
        let is_kept = |event: &Seen| !event.is_superseded_by(newer);
        self.followed.retain(is_kept);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
    }

    /// The follower brings events at this time.
    pub(crate) fn begin_page(&mut self, now: Instant) {
        let before = self.came.replace(now).unwrap_or(now);
        let pause = now.saturating_duration_since(before);
        if let Some(newest) = self.followed.back().filter(|_| pause >= PAUSED.1) {
            self.paused.push((pause, newest.clone()));
            self.paused.sort_by_key(|(pause, _)| Reverse(*pause));
            self.paused.truncate(PAUSED.0);
        }
    }

    /// The follower is here, and has brought all that there was up to here.
    pub(crate) fn pass(&mut self, newest: Position) {
        while let Some(pending) = self.take_pending(newest) {
            self.miss(pending);
        }
    }

    /// The oldest that is still to be brought, up to this position.
    fn take_pending(&mut self, newest: Position) -> Option<Seen> {
        if self.pending.front()?.position > newest { None } else { self.pending.pop_front() }
    }

    fn miss(&mut self, event: Seen) {
        if self.missing.len() < MISSING {
            self.missing.push(event);
        }
    }

    /// The follower has brought a page with these bounds, and is here.
    pub(crate) fn end_page(&mut self, bounds: &Bounds, newest: Position) {
        self.missing.retain(|missing| missing.position > bounds.floor);
        self.is_doubtful |= self.missing.iter().any(|missing| missing.is_settled_at(newest));
    }

    /// The store has acknowledged events up to this position.
    pub(crate) fn acknowledge(&mut self, newest: Position) {
        self.acknowledged = self.acknowledged.max(newest);
    }

    /// The store has acknowledged this event while the follower was at that position.
    pub(crate) fn expect(&mut self, event: Seen, followed_to: Position) {
        if event.position > followed_to {
            let place = self.pending.partition_point(|pending| pending.position < event.position);
            self.pending.insert(place, event);
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

    /// What may be lost though what was followed to last is there.
    pub(crate) fn uncertain(&self) -> Vec<Seen> {
        let paused = self.paused.iter().map(|(_, event)| event);
        self.missing.iter().chain(paused).cloned().collect()
    }

    /// Of what was uncertain nothing is lost, but for what is not there and not settled: whether that is lost is known once the follower is
    /// further on. It may have brought by now what superseded it.
    pub(crate) fn settle(&mut self, uncertain: &[Seen], mut unsettled: Vec<Seen>) {
        let known = |event: &Seen| {
            let paused = self.paused.iter().map(|(_, event)| event);
            let mut known = self.followed.iter().chain(&self.missing).chain(paused);
            known.any(|known| known.position == event.position)
        };
        unsettled.retain(known);
        let is_kept = |event: &Seen| uncertain.iter().all(|other| event.position != other.position);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
        self.forget(&unsettled.iter().map(|event| event.position).collect::<Vec<_>>());
        unsettled.into_iter().for_each(|event| self.miss(event));
    }

    /// These events are not there any more, by right.
    pub(crate) fn forget(&mut self, events: &[Position]) {
        let is_kept = |event: &Seen| !events.contains(&event.position);
        self.followed.retain(is_kept);
        self.pending.retain(is_kept);
        self.missing.retain(is_kept);
        self.paused.retain(|(_, event)| is_kept(event));
    }

    /// This event was there when so many had been deleted.
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
