//! A client of some topics, and what it must get.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use sse_core::{Start, TopicSet};

use super::book::{Book, TOPICS, name};
use crate::simulated_log::patience::Patience;
use crate::simulation::Reader;
use crate::support::parser::Parsed;
use crate::support::virtual_clock::VirtualClock;

pub(super) struct Client {
    reader: Reader,
    set: TopicSet,
    /// The topics that it asks for, and the number of events that there were when it began to ask.
    topics: HashMap<usize, usize>,
    start: Start,
    /// The number of events up to which it has all that it must have; `None` before its first id.
    has: Option<usize>,
    /// The number of events up to which it has an id: it resumes from there.
    at: usize,
    got: HashSet<usize>,
    /// The events that it may get without ids, because a topic was added with its newest.
    newest: HashSet<usize>,
    /// True if it may be told of a gap though it missed nothing: the log cannot know.
    pub(super) may_miss: bool,
    /// The number of events that there were when its topics changed, until it has read all.
    changed_at: Option<usize>,
    /// True before the first event of a connection: of a client that comes back the log knows only whether its position is kept.
    is_first: bool,
    patience: Patience,
}

impl Client {
    pub(super) fn new(rng: &mut Rng, clock: &VirtualClock) -> Self {
        let topics: HashMap<_, _> = (0..rng.usize(..4)).map(|_| (rng.usize(..TOPICS), 0)).collect();
        let set = TopicSet::new(topics.keys().map(|topic| name(*topic))).expect("topics");
        let starts = [Start::Live, Start::Oldest, Start::Last(rng.usize(1..5))];
        Self {
            reader: Reader::at(clock.timer(), ""),
            set,
            topics,
            start: rng.choice(starts).expect("one"),
            has: None,
            at: 0,
            got: HashSet::new(),
            newest: HashSet::new(),
            may_miss: false,
            changed_at: None,
            is_first: true,
            patience: Patience::new(),
        }
    }

    pub(super) fn cut(&mut self) {
        self.reader.cut();
        self.newest.clear();
    }

    pub(super) fn change(&mut self, book: &Book, topic: usize, start: Start) {
        self.patience.begin();
        // The log knows where the stream was at the first change since it was polled, and not at each.
        self.may_miss |= self.changed_at.is_some();
        self.changed_at.get_or_insert(book.events.len());
        if self.topics.remove(&topic).is_some() {
            self.set.remove(name(topic));
            return;
        }
        if let (true, Start::Last(_)) = (self.reader.is_connected(), &start) {
            let newest = (0..book.events.len()).filter(|event| book.is_for(*event, &[topic]));
            self.newest.extend(newest);
        }
        // The log may have forgotten which events of the added topic it dropped, and a stream with something left to read reads it from there, too.
        self.may_miss |= book.events[self.at..].iter().any(|event| event.is_dropped);
        self.topics.insert(topic, book.events.len());
        self.set.add(name(topic), start).expect("a topic");
    }

    /// Connects, or reads a chunk. Returns false if it waits.
    pub(super) fn step(&mut self, book: &mut Book, rng: &mut Rng) -> bool {
        if !self.reader.is_connected() {
            self.connect(book);
        }
        let cuts = self.reader.last_event_id() != "";
        let cuts = cuts && rng.bool();
        let changed_at = self.changed_at.unwrap_or(book.events.len());
        // The log may have forgotten the added topic since.
        self.may_miss |= book.events[changed_at..].iter().any(|event| event.is_dropped);
        let is_owed = book.is_in_memory() && self.is_owed(book);
        if !self.reader.read(rng, cuts) {
            self.changed_at = None;
            return false;
        }
        self.patience.poll(is_owed);
        let arrived = std::mem::take(&mut self.reader.arrived);
        arrived.iter().for_each(|event| self.take(book, event));
        if !self.reader.is_connected() {
            self.newest.clear();
        }
        true
    }

    fn connect(&mut self, book: &mut Book) {
        if self.reader.last_event_id().is_empty() {
            // It begins live after what has come, and asks the store for what is kept now.
            book.catch_up();
        }
        let feed = book.log.topics(&self.set).expect("in memory").start_at(self.start.clone());
        assert!(self.reader.is_answered(feed));
        (self.may_miss, self.is_first) = (false, true);
        self.patience.begin();
        if self.reader.last_event_id().is_empty() {
            let kept: Vec<_> = (0..book.events.len())
                .filter(|event| book.is_kept(*event) && book.is_for(*event, &self.asked()))
                .collect();
            let begin = match self.start {
                Start::Oldest => 0,
                Start::Last(count) => kept
                    .len()
                    .checked_sub(count)
                    .and_then(|first| kept.get(first))
                    .map_or(0, |first| *first),
                _ => book.events.len(),
            };
            (self.has, self.at) = (Some(begin), begin);
            // It begins when it is polled first, and nothing must come in between.
            while self.reader.read(&mut Rng::new(), false) || book.follow() {}
            let arrived = std::mem::take(&mut self.reader.arrived);
            arrived.iter().for_each(|event| self.take(book, event));
        }
    }

    fn take(&mut self, book: &Book, event: &Parsed) {
        let id = &event.last_event_id;
        let is_first = std::mem::take(&mut self.is_first);
        match event.event_type.as_str() {
            "position" => {
                assert!(book.was_given(id), "{id} is the id of no event");
                self.is_at(book, book.upto(id));
            }
            "reset" => {
                let gap = self.at..book.events.len();
                let missed = |event: usize| {
                    // Of what is behind its tail a log knows only from where on the store has all.
                    let may_be_its = !book.is_in_memory() || book.is_for(event, &self.asked());
                    book.events[event].is_dropped && may_be_its
                };
                assert!(is_first || self.may_miss || gap.clone().any(missed), "a gap in vain");
                let upto = book.upto(id);
                (self.has, self.at) = (Some(upto), upto);
                self.newest.clear();
                self.may_miss = true;
                let has_events = self.is_owed(book);
                self.patience.was_told_of_a_gap(has_events);
            }
            _ => {
                let number: usize = event.data.parse().expect("a number");
                self.patience.begin();
                if number < self.at {
                    assert!(self.newest.remove(&number), "{number} came after a later one");
                    return;
                }
                assert!(book.is_for(number, &self.asked()), "{number} is another's");
                assert_eq!(*id, book.events[number].id);
                assert!(self.got.insert(number), "{number} came twice");
                self.is_at(book, number + 1);
            }
        }
    }

    /// The client is told that it has all up to here.
    fn is_at(&mut self, book: &Book, upto: usize) {
        let from = self.has.unwrap_or(upto);
        for event in from..upto {
            assert!(!self.is_due(book, event) || self.got.contains(&event), "{event} was left out");
        }
        assert!(upto >= self.at, "the position goes back");
        (self.has, self.at) = (Some(upto), upto);
    }

    /// Returns true if the client must get this event, if it is after its position.
    fn is_due(&self, book: &Book, event: usize) -> bool {
        let asked = self.topics.iter().filter(|(_, since)| event >= **since);
        let asked: Vec<_> = asked.map(|(topic, _)| *topic).collect();
        book.is_kept(event) && book.is_for(event, &asked)
    }

    /// Returns true if the log has an event for it.
    fn is_owed(&self, book: &Book) -> bool {
        (self.at..book.events.len()).any(|event| self.is_due(book, event))
    }

    /// Nothing is left to read: the client has all.
    pub(super) fn check_all(&mut self, book: &Book) {
        self.is_at(book, book.events.len());
    }

    fn asked(&self) -> Vec<usize> {
        self.topics.keys().copied().collect()
    }
}
