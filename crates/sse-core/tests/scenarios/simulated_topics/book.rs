//! What was appended, and what became of it.

use fastrand::Rng;
use futures_util::FutureExt;
use sse_core::{Event, EventLog, LogOptions, NewEvent, Timer};

/// The topics that there are, by their numbers.
pub(super) const TOPICS: usize = 6;

pub(super) fn name(topic: usize) -> String {
    format!("room/{topic}")
}

/// The log, beside a list of all that was appended to it.
pub(super) struct Book {
    pub(super) log: EventLog,
    pub(super) options: LogOptions,
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
    pub(super) fn new(options: LogOptions, timer: Timer) -> Self {
        let log = EventLog::in_memory_with(timer, options.clone());
        Self { log, options, events: Vec::new(), keys: vec![None; 3] }
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
        let id = self.log.append(event).now_or_never().expect("in memory").expect("accepted");
        let id = id.to_string();
        self.events.push(Appended { id, topics, is_there: true, is_dropped: false });
        self.trim();
    }

    /// Finds out which events the log has dropped: all but the newest that there are, of as many as it keeps.
    fn trim(&mut self) {
        let kept = self.events.iter_mut().rev().filter(|event| event.is_there && !event.is_dropped);
        kept.skip(self.options.events).for_each(|event| event.is_dropped = true);
    }

    pub(super) fn delete(&mut self, rng: &mut Rng) {
        let Some(event) = rng.choice(&mut self.events) else { return };
        if !event.is_there || event.is_dropped {
            return;
        }
        let id = event.id.parse().expect("an id");
        self.log.delete(&id).now_or_never().expect("in memory").expect("it is there");
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
            (epoch.to_owned(), position.parse::<u64>().expect("a number"))
        };
        let (epoch, at) = position(id);
        let is_later = |event: &Appended| {
            let (of, event) = position(&event.id);
            of == epoch && event <= at
        };
        self.events.iter().rposition(is_later).map_or(0, |index| index + 1)
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
