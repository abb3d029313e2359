//! What was appended, and what became of it.

use std::time::Duration;

use fastrand::Rng;
use futures_util::FutureExt;
use sse_core::{Event, EventId, EventLog, LogOptions, NewEvent, Position, StoreOptions};

use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::support::task::Task;
use crate::support::virtual_clock::VirtualClock;

/// The topics that there are, by their numbers.
pub(super) const TOPICS: usize = 6;

pub(super) fn name(topic: usize) -> String {
    format!("room/{topic}")
}

/// The log, beside a list of all that was appended to it.
pub(super) struct Book {
    pub(super) log: EventLog,
    pub(super) options: LogOptions,
    /// The store that keeps the events, and the log's follower; nothing if the log is in memory.
    stored: Option<(ScriptedStore, Task<()>)>,
    clock: VirtualClock,
    pub(super) events: Vec<Appended>,
    keys: Vec<Option<usize>>,
}

/// An event. Its data is its index in the book.
pub(super) struct Appended {
    pub(super) id: String,
    pub(super) topics: Vec<usize>,
    /// True until it is deleted, or replaced by a newer event of its key.
    pub(super) is_there: bool,
    /// True once the log has dropped it as one of the oldest.
    pub(super) is_dropped: bool,
}

impl Book {
    pub(super) fn in_memory(options: LogOptions, clock: &VirtualClock) -> Self {
        let log = EventLog::in_memory_with(clock.timer(), options.clone());
        let clock = clock.clone();
        Self { log, options, stored: None, clock, events: Vec::new(), keys: vec![None; 3] }
    }

    /// A log over a store, which drops the oldest events at once. Its tail has so many.
    pub(super) fn in_a_store(
        options: LogOptions,
        tail: usize,
        rng: &mut Rng,
        clock: &VirtualClock,
    ) -> Self {
        let positions = rng.choice([Positions::Dense, Positions::Sparse]).expect("one");
        let store = ScriptedStore::on(clock.timer(), positions);
        let of_store = StoreOptions::new().events(1_000_000).tail_events(tail);
        let of_store = of_store.topics_required(options.topics_required);
        let opening = EventLog::open(store.clone(), of_store, clock.timer());
        let (log, follower) = opening.now_or_never().expect("at once").expect("opened");
        // From now on a read may take some steps, and give a few events.
        let (mut steps, most) = (rng.fork(), rng.usize(1..4));
        store.dawdle(move || steps.usize(..most));
        if rng.bool() {
            store.short_pages(rng.usize(1..6));
        }
        let stored = Some((store, Task::new(follower)));
        let clock = clock.clone();
        Self { log, options, stored, clock, events: Vec::new(), keys: vec![None; 3] }
    }

    /// Lets the follower of the log run. Returns false if it waits.
    pub(super) fn follow(&mut self) -> bool {
        self.stored.as_mut().is_some_and(|(_, follower)| follower.poll().1)
    }

    /// Lets the follower run until it has brought all.
    pub(super) fn catch_up(&mut self) {
        let mut steps = 0..1000;
        while self.follow() || self.is_behind() {
            self.clock.pass(Duration::from_millis(1));
            assert!(steps.next().is_some(), "the follower never brings all");
        }
    }

    fn is_behind(&self) -> bool {
        let Some((store, _)) = &self.stored else { return false };
        let now = store.now();
        self.log.stats().newest != now.newest.id(now.epoch)
    }

    /// Returns true if the log is in memory: it knows what it has dropped of each topic.
    pub(super) fn is_in_memory(&self) -> bool {
        self.stored.is_none()
    }

    pub(super) fn append(&mut self, rng: &mut Rng) {
        let count = match rng.u8(..8) {
            0 => usize::from(self.options.topics_required),
            1 => 3,
            2 => 2,
            _ => 1,
        };
        let topics: Vec<_> = (0..count).map(|_| rng.usize(..TOPICS)).collect();
        let number = self.events.len();
        let mut event = NewEvent::from(Event::new(number.to_string()));
        for topic in &topics {
            event = event.topic(name(*topic)).expect("a topic");
        }
        if rng.u8(..4) == 0 {
            let key = rng.usize(..self.keys.len());
            event = event.key(&key.to_string()).expect("a key");
            if let Some(before) = self.keys[key].replace(number) {
                self.events[before].is_there = false;
            }
        }
        let id = match &self.stored {
            None => self.log.append(event).now_or_never().expect("in memory").expect("accepted"),
            Some((store, _)) => {
                store.add(&[event.encode(usize::MAX).expect("an event")]);
                let now = store.now();
                now.newest.id(now.epoch)
            }
        };
        let id = id.to_string();
        self.events.push(Appended { id, topics, is_there: true, is_dropped: false });
        self.trim();
    }

    /// Finds out which events the log has dropped: all but the newest that there are, of as many as it keeps.
    fn trim(&mut self) {
        let kept = self.events.iter_mut().rev().filter(|event| event.is_there && !event.is_dropped);
        kept.skip(self.options.events).for_each(|event| event.is_dropped = true);
        if let Some((store, _)) = &self.stored {
            store.trim(store.kept().saturating_sub(self.options.events));
        }
    }

    pub(super) fn delete(&mut self, rng: &mut Rng) {
        let Some(event) = rng.choice(&mut self.events) else { return };
        if !event.is_there || event.is_dropped {
            return;
        }
        let id: EventId = event.id.parse().expect("an id");
        match &self.stored {
            None => self.log.delete(&id).now_or_never().expect("in memory").expect("it is there"),
            Some((store, _)) => {
                let (_, position) = id.as_str().split_once('.').expect("an id of a log");
                store.remove(position.parse().expect("a position"));
            }
        }
        event.is_there = false;
    }

    pub(super) fn new_epoch(&mut self) {
        self.log.new_epoch().now_or_never().expect("in memory").expect("it begins");
        self.events.iter_mut().for_each(|event| event.is_dropped = true);
        self.keys.fill(None);
    }

    /// Returns the number of events that had been appended when this id was the newest.
    pub(super) fn upto(&self, id: &str) -> usize {
        let position = |id: &str| {
            let (epoch, position) = id.split_once('.').expect("an id of a log");
            (epoch.to_owned(), position.parse::<Position>().expect("a position"))
        };
        let (epoch, at) = position(id);
        let is_later = |event: &Appended| {
            let (of, event) = position(&event.id);
            of == epoch && event <= at
        };
        self.events.iter().rposition(is_later).map_or(0, |index| index + 1)
    }

    /// Returns true if this is the id of an event, or of the place before the first of an epoch.
    pub(super) fn was_given(&self, id: &str) -> bool {
        self.events.iter().any(|event| event.id == id) || id.ends_with(".0")
    }

    /// Returns true if this event goes to a stream of these topics.
    pub(super) fn is_for(&self, event: usize, topics: &[usize]) -> bool {
        let own = &self.events[event].topics;
        match own.is_empty() {
            true => !self.options.topics_required,
            false => own.iter().any(|topic| topics.contains(topic)),
        }
    }

    /// Returns true if a client can still get this event.
    pub(super) fn is_kept(&self, event: usize) -> bool {
        self.events[event].is_there && !self.events[event].is_dropped
    }
}
