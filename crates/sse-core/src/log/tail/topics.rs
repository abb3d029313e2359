//! The kept events of each topic, so that a stream reads its own events and not the log.
//
// Longer than other files: what reads and changes the lists of the topics is in one place.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::slice;

use slab::Slab;

use crate::log::api::stats::TopicStats;
use crate::log::tail::merged::{Merged, Sequence, earlier, later};
use crate::store::Topics;
use crate::{Position, Topic};

mod emptied;

/// The kept events of each topic, and of none.
#[derive(Debug)]
pub(crate) struct TopicIndex {
    numbers: HashMap<Topic, usize>,
    lists: Slab<List>,
    /// The number of lists that have readers.
    read: usize,
    /// The lists of each event that has topics.
    of: BTreeMap<Position, Lists>,
    /// The events without a topic that came after `since`. Up to there no event has one.
    rest: VecDeque<Position>,
    since: Position,
    /// The newest event without a topic that was dropped.
    dropped: Position,
    /// Up to this position all lists may lack events: they were dropped, or came before the list was made.
    base: Position,
    /// True if streams of topics get the events without a topic.
    has_rest: bool,
}

/// The numbers of the lists of an event. Most events have one topic.
#[derive(Debug)]
enum Lists {
    One(u32),
    Several(Box<[u32]>),
}

impl Lists {
    fn numbers(&self) -> &[u32] {
        match self {
            Self::One(number) => slice::from_ref(number),
            Self::Several(numbers) => numbers,
        }
    }
}

/// The kept events of one topic.
#[derive(Debug)]
struct List {
    topic: Topic,
    events: VecDeque<Position>,
    /// The newest event that was dropped, or the newest that may have been before the list was made.
    dropped: Position,
    /// The number of readers that ask for the topic: the list stays for them.
    readers: usize,
}

impl TopicIndex {
    /// Returns the index of a log whose events up to the newest have no topics, and that has dropped those up to `base`.
    pub(super) fn new(base: Position, newest: Position, has_rest: bool) -> Self {
        Self {
            numbers: HashMap::new(),
            lists: Slab::new(),
            read: 0,
            of: BTreeMap::new(),
            rest: VecDeque::new(),
            since: newest,
            dropped: base,
            base,
            has_rest,
        }
    }

    /// Adds the newest event.
    pub(crate) fn push(&mut self, event: Position, topics: &Topics) {
        if topics.is_empty() {
            if self.has_rest {
                self.rest.push_back(event);
            }
            return;
        }
        let mut numbers = topics.iter().map(|topic| {
            let number = self.list_of(topic);
            self.lists[number].events.push_back(event);
            number as u32
        });
        let lists = match (numbers.len(), numbers.next()) {
            (1, Some(only)) => Lists::One(only),
            (_, first) => Lists::Several(first.into_iter().chain(numbers).collect()),
        };
        self.of.insert(event, lists);
    }

    /// Removes an event: because it was `dropped` as the oldest, or from among the others.
    pub(crate) fn remove(&mut self, event: Position, is_dropped: bool) {
        let Some(lists) = self.of.remove(&event) else {
            take_out(&mut self.rest, event);
            if is_dropped {
                self.dropped = event;
            }
            return;
        };
        for number in lists.numbers() {
            let number = *number as usize;
            let list = &mut self.lists[number];
            take_out(&mut list.events, event);
            if is_dropped {
                list.dropped = event;
            }
            self.forget_if_unused(number);
        }
        if is_dropped {
            self.base = event;
        }
    }

    /// Returns the topics of an event.
    pub(crate) fn topics_of(&self, event: Position) -> Topics {
        let topics =
            self.lists_of(event).iter().map(|number| self.lists[*number as usize].topic.clone());
        Topics::new(topics).unwrap_or_default()
    }

    /// Counts a reader of a topic. Returns the number of its list.
    pub(crate) fn enter(&mut self, topic: &Topic) -> usize {
        let number = self.list_of(topic);
        let list = &mut self.lists[number];
        self.read += usize::from(list.readers == 0);
        list.readers += 1;
        number
    }

    /// Removes a reader of a list.
    pub(crate) fn leave(&mut self, number: usize) {
        let list = &mut self.lists[number];
        list.readers -= 1;
        self.read -= usize::from(list.readers == 0);
        self.forget_if_unused(number);
    }

    /// Returns the lists of an event.
    pub(crate) fn lists_of(&self, event: Position) -> &[u32] {
        self.of.get(&event).map_or(&[], Lists::numbers)
    }

    /// Returns true if an event goes to streams of topics whichever they are: it has none.
    pub(crate) fn is_for_all(&self, event: Position) -> bool {
        self.has_rest && !self.of.contains_key(&event)
    }

    /// Returns the number of topics that have readers.
    pub(crate) fn read(&self) -> usize {
        self.read
    }

    /// Returns the number of readers of a list.
    pub(crate) fn readers(&self, number: usize) -> usize {
        self.lists[number].readers
    }

    /// Returns the number of readers of a topic.
    pub(crate) fn readers_of(&self, topic: &Topic) -> usize {
        self.numbers.get(topic).map_or(0, |number| self.lists[*number].readers)
    }

    /// Adds the counts of some topics, from the list with this number on. Returns the number to go on with.
    pub(crate) fn stats(&self, first: usize, all: &mut Vec<(Topic, TopicStats)>) -> Option<usize> {
        const AT_ONCE: usize = 1000;
        let next = first + AT_ONCE;
        let some = (first..next).filter_map(|number| self.lists.get(number));
        all.extend(some.map(|list| {
            let stats = TopicStats { open_streams: list.readers, events: list.events.len() };
            (list.topic.clone(), stats)
        }));
        (next < self.lists.capacity()).then_some(next)
    }

    /// Returns the list of a topic, if it has one.
    pub(crate) fn list(&self, topic: &Topic) -> Option<usize> {
        self.numbers.get(topic).copied()
    }

    /// Returns the topic of a list.
    pub(crate) fn topic(&self, number: usize) -> &Topic {
        &self.lists[number].topic
    }

    /// Returns the newest events of one list up to this position, newest first.
    pub(crate) fn newest_of(
        &self,
        number: usize,
        upto: Position,
    ) -> impl Iterator<Item = Position> + '_ {
        self.lists[number].events.iter().rev().copied().skip_while(move |event| *event > upto)
    }

    /// Returns true if an event after this position, which these lists or none would have, may have been dropped.
    pub(crate) fn has_dropped_after(&self, position: Position, lists: &[usize]) -> bool {
        (self.has_rest && self.dropped > position)
            || lists.iter().any(|list| self.lists[*list].dropped > position)
    }

    /// Returns true if there is no event of these lists or without a topic after this position.
    pub(crate) fn is_quiet_after(&self, position: Position, lists: &[usize]) -> bool {
        let is_quiet = |events: &VecDeque<Position>| events.back() <= Some(&position);
        let has_early = self.has_rest && position < self.since;
        !has_early
            && is_quiet(&self.rest)
            && lists.iter().all(|list| is_quiet(&self.lists[*list].events))
    }

    /// Returns the event of these lists or without a topic after this position, if there is exactly one: most readers have all but the newest.
    pub(crate) fn only_after(&self, position: Position, lists: &[usize]) -> Option<Position> {
        if self.has_rest && position < self.since {
            return None;
        }
        let mut only = None;
        let of_topics = lists.iter().map(|list| &self.lists[*list].events);
        for events in of_topics.chain([&self.rest]) {
            let mut newest = events.iter().rev().take_while(|event| **event > position);
            match (only, newest.next(), newest.next()) {
                (_, None, _) => {}
                (None, Some(event), None) => only = Some(*event),
                (Some(known), Some(event), None) if known == *event => {}
                _ => return None,
            }
        }
        only
    }

    /// Returns the events of these lists and those without a topic, after this position, oldest first. `early` are the events of the log after
    /// it: up to `since` none has a topic.
    pub(crate) fn after<'a>(
        &'a self,
        position: Position,
        lists: &'a [usize],
        early: impl Iterator<Item = Position> + 'a,
    ) -> impl Iterator<Item = Position> + 'a {
        let early = early.take_while(|event| self.has_rest && *event <= self.since);
        let rest = Sequence::Rest(early.chain(later(&self.rest, position)).map(Reverse));
        let of_topics = lists.iter().map(|list| &self.lists[*list].events);
        // Most topics have nothing new.
        let of_topics = of_topics.filter(move |events| events.back() > Some(&position));
        let of_topics = of_topics.map(move |events| later(events, position).map(Reverse));
        Merged::new(of_topics.map(Sequence::Topic).chain([rest])).map(|Reverse(event)| event)
    }

    /// Returns the events of these lists and those without a topic, before this position, newest first. `early` are the events of the log before
    /// [`early_before`](TopicIndex::early_before), newest first.
    pub(crate) fn before<'a>(
        &'a self,
        position: Position,
        lists: &'a [usize],
        early: impl Iterator<Item = Position> + 'a,
    ) -> impl Iterator<Item = Position> + 'a {
        let rest = Sequence::Rest(earlier(&self.rest, position).chain(early));
        let of_topics = lists.iter().map(move |list| earlier(&self.lists[*list].events, position));
        Merged::new(of_topics.map(Sequence::Topic).chain([rest]))
    }

    /// Returns the position before which all events go to every stream of topics, and are not listed: the first position if there are none.
    pub(super) fn early_before(&self, position: Position) -> Position {
        if self.has_rest { position.min(self.since.next()) } else { Position::START }
    }

    fn list_of(&mut self, topic: &Topic) -> usize {
        if let Some(number) = self.numbers.get(topic) {
            return *number;
        }
        // With room for one event, since most of many topics have no more: by itself it would have room for four.
        let list = List {
            topic: topic.clone(),
            events: VecDeque::with_capacity(1),
            dropped: self.base,
            readers: 0,
        };
        let number = self.lists.insert(list);
        self.numbers.insert(topic.clone(), number);
        number
    }

    fn forget_if_unused(&mut self, number: usize) {
        let list = &self.lists[number];
        if list.events.is_empty() && list.readers == 0 {
            self.numbers.remove(&self.lists.remove(number).topic);
        }
    }
}

/// Removes an event, which is the first one most of the time.
fn take_out(events: &mut VecDeque<Position>, event: Position) {
    if events.front() == Some(&event) {
        events.pop_front();
    } else if let Ok(at) = events.binary_search(&event) {
        events.remove(at);
    }
}
