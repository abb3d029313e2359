//! The topics that a reader asks for.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::Waker;

use crate::log::handle::{EventLog, Shared};
use crate::log::state::{Of, State};
use crate::log::subscribers::Waiting;
use crate::store::TopicFilter;
use crate::sync::wakers::{Address, Unneeded};
use crate::topic::set::{Follows, Wanted};
use crate::{Epoch, EventType, Position, Topic, TopicSet};

/// The number of topics that are added or removed under one lock.
const AT_ONCE: usize = 64;

impl Follows for Shared {
    fn topics_change(&self, stream: usize) -> Option<Waker> {
        let mut state = self.lock();
        let at = state.subscribers.read_to(stream);
        let upto = at.and_then(|at| state.quiet_up_to(stream, at));
        state.subscribers.change(stream, upto)
    }
}

/// The topics of a reader: a place among the streams of their set, and one among the subscribers of the log.
pub(super) struct Subscription {
    set: TopicSet,
    stream: usize,
    /// The number of changes of the set that it has taken over.
    seen: u64,
    subscriber: usize,
    waiting: Waiting,
    /// The waker that the log was given last.
    waker: Option<Address>,
    /// The position of the newest id that the client has: it resumes from there.
    pub(super) told: Position,
    /// The events that it gets, once the store was asked for some.
    filter: Option<TopicFilter>,
    /// The type of the event that tells the client its position; `None` if it is not told.
    pub(super) position: Option<EventType>,
}

impl Subscription {
    /// Subscribes to the topics of the set.
    pub(super) fn new(log: &EventLog, set: TopicSet, position: Option<EventType>) -> Self {
        let mut state = log.lock();
        // Also for a set that is empty: its streams get the events without a topic, which are listed from now on.
        state.tail.topic_index();
        let (subscriber, waiting) = state.subscribers.insert();
        drop(state);
        let stream = set.enter(Arc::<Shared>::clone(&log.0), subscriber);
        let mut new = Self {
            set,
            stream,
            seen: 0,
            subscriber,
            waiting,
            waker: None,
            told: Position::START,
            filter: None,
            position,
        };
        new.take_over(log, None);
        new
    }

    /// Leaves the set and the log.
    pub(super) fn leave(&self, log: &EventLog) {
        self.set.leave(self.stream);
        self.unsubscribe(log, |_| true);
        let unneeded = log.lock().subscribers.remove(self.subscriber);
        drop(unneeded);
    }

    pub(super) fn of(&self) -> Of {
        Some(self.subscriber)
    }

    pub(super) fn has_changed(&self) -> bool {
        self.set.changes() != self.seen
    }

    /// Registers the waker of the reader at this position until an event concerns one of the topics, or the set changes. The caller has checked
    /// [`has_changed`](Subscription::has_changed) under this lock.
    pub(super) fn wait(&mut self, state: &mut State, at: Position, waker: &Waker) -> Unneeded {
        self.waker = Some(Address::of(waker));
        state.subscribers.wait(self.subscriber, at, waker)
    }

    /// Returns true if this waker waits until an event concerns one of the topics, or the set changes. No lock is taken.
    #[inline]
    pub(super) fn still_waits(&self, waker: &Waker) -> bool {
        self.waker == Some(Address::of(waker)) && self.waiting.still()
    }

    /// Records the newest id that the client has, and the position up to which the reader has read, unless its topics are about to change.
    pub(super) fn gave(&mut self, state: &mut State, told: Position, upto: Position) {
        self.told = told;
        if !self.has_changed() {
            state.subscribers.is_at(self.subscriber, upto);
        }
    }

    /// Returns the position, at or after this one, at which a change of the set finds the reader: up to there it had no event to read.
    pub(super) fn changed_at(&self, log: &EventLog, epoch: Epoch, after: Position) -> Position {
        let mut state = log.lock();
        let changed = state.subscribers.take_changed(self.subscriber);
        changed.filter(|_| state.tail.epoch() == epoch).unwrap_or(after).max(after)
    }

    /// Returns true if the reader asks for any of these lists.
    pub(super) fn takes_any(&self, state: &State, lists: &[u32]) -> bool {
        let own = state.subscribers.lists(self.subscriber);
        lists.iter().any(|list| own.contains(&(*list as usize)))
    }

    /// Takes over the changes of the set. Returns the newest events of the topics that were added so, up to this position.
    pub(super) fn take_over(&mut self, log: &EventLog, at: Option<Position>) -> Vec<Position> {
        let (seen, wanted) = self.set.wanted(self.seen);
        (self.seen, self.filter) = (seen, None);
        let newest = at.map(|at| self.newest(log, &wanted, at)).unwrap_or_default();
        let names: HashSet<&Topic> = wanted.iter().map(|wanted| &wanted.topic).collect();
        self.unsubscribe(log, |topic| !names.contains(topic));
        let known = self.lists(log);
        for some in wanted.chunks(AT_ONCE) {
            let mut state = log.lock();
            let State { tail, subscribers, .. } = &mut *state;
            let topics = tail.topic_index();
            for Wanted { topic, .. } in some {
                let list = topics.enter(topic);
                match known.contains(&list) {
                    true => topics.leave(list),
                    false => subscribers.add(self.subscriber, list),
                }
            }
        }
        newest
    }

    /// Returns the events that it gets, as a store is asked for them.
    pub(super) fn filter(&mut self, log: &EventLog) -> TopicFilter {
        let read = || {
            let state = log.lock();
            let lists = state.subscribers.lists(self.subscriber);
            let topics = state.tail.topics().into_iter();
            let topics: Vec<_> = topics
                .flat_map(|topics| lists.iter().map(|list| topics.topic(*list).clone()))
                .collect();
            drop(state);
            TopicFilter::new(topics, !log.0.options.topics_required)
        };
        self.filter.get_or_insert_with(read).clone()
    }

    fn lists(&self, log: &EventLog) -> HashSet<usize> {
        log.lock().subscribers.lists(self.subscriber).iter().copied().collect()
    }

    /// Leaves the topics for which this is true.
    fn unsubscribe(&self, log: &EventLog, is_left: impl Fn(&Topic) -> bool) {
        let mut index = log.lock().subscribers.lists(self.subscriber).len();
        while index > 0 {
            let mut state = log.lock();
            let State { tail, subscribers, .. } = &mut *state;
            let topics = tail.topic_index();
            for _ in 0..AT_ONCE.min(index) {
                index -= 1;
                let list = subscribers.lists(self.subscriber)[index];
                if is_left(topics.topic(list)) {
                    subscribers.leave(self.subscriber, index);
                    topics.leave(list);
                }
            }
        }
    }

    /// Returns the newest events of the topics that are new, up to this position. It omits those that the client got by its other topics, or because
    /// they have none.
    fn newest(&self, log: &EventLog, wanted: &[Wanted], upto: Position) -> Vec<Position> {
        let known = self.lists(log);
        let mut found = Vec::new();
        for Wanted { topic, last } in wanted.iter().filter(|wanted| wanted.last > 0) {
            let state = log.lock_now();
            let Some(topics) = state.tail.topics() else { break };
            let Some(list) = topics.list(topic).filter(|list| !known.contains(list)) else {
                continue;
            };
            let is_new = |event: &Position| {
                !topics.lists_of(*event).iter().any(|list| known.contains(&(*list as usize)))
            };
            found.extend(topics.newest_of(list, upto).take(*last).filter(is_new));
        }
        found
    }
}
