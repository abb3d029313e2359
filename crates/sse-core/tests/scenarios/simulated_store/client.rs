//! A client, which knows what must come next.

use fastrand::Rng;
use serde_json::Value;
use sse_core::{EventLog, EventType, Feed, Start};

use super::history::{History, Place};
use crate::simulation::Reader;
use crate::support::parser::Parsed;

pub(super) struct Client {
    pub(super) reader: Reader,
    start: Start,
    /// To which process it is connected.
    pub(super) process: usize,
    /// The last id it saw.
    pub(super) last_event_id: String,
    /// Where it is: the places that the last id it saw may name.
    pub(super) at: Option<Vec<Place>>,
    /// It may be told nothing, since nobody is left who knows what was lost.
    pub(super) is_forgiven: bool,
    /// What it is given now may be of two pasts.
    pub(super) is_confused: bool,
    /// It has been given such, or may have been, until it is told so.
    pub(super) is_to_be_told: bool,
    /// It has seen the end.
    pub(super) is_done: bool,
    /// What was deleted for good before it came.
    pub(super) must_not_see: Vec<Place>,
}

impl Client {
    pub(super) fn new(start: Start) -> Self {
        Self {
            reader: Reader::new(""),
            start,
            process: 0,
            last_event_id: String::new(),
            at: None,
            is_forgiven: false,
            is_confused: false,
            is_to_be_told: false,
            is_done: false,
            must_not_see: Vec::new(),
        }
    }

    pub(super) fn connect(&mut self, process: usize, log: &EventLog, history: &History) {
        self.process = process;
        let opening = EventType::from_static("opening");
        let feed: Feed = log.feed().start_at(self.start.clone()).opening_event(opening);
        if !self.reader.is_answered(feed) {
            self.end(history);
        }
    }

    /// Reads what is there, and checks it.
    pub(super) fn read(&mut self, rng: &mut Rng, history: &History, cuts_within: bool) -> bool {
        let has_read = self.reader.read(rng, cuts_within);
        for event in std::mem::take(&mut self.reader.arrived) {
            self.take(&event, history);
        }
        if std::mem::take(&mut self.reader.has_ended) {
            self.end(history);
        }
        has_read
    }

    /// An end is the end of a finished log, and of nothing else.
    fn end(&mut self, history: &History) {
        let is_right = match &self.at {
            Some(at) => history.is_an_end(at),
            None => !history.ends.is_empty(),
        };
        assert!(is_right, "it ended at {:?}, and the ends are {:?}", self.at, history.ends);
        self.is_done = true;
    }

    fn take(&mut self, event: &Parsed, history: &History) {
        self.check(event, history);
        self.last_event_id.clone_from(&event.last_event_id);
    }

    fn check(&mut self, event: &Parsed, history: &History) {
        let named = history.named(&event.last_event_id);
        assert!(!named.is_empty(), "an id that nobody gave: {event:?}");
        match event.event_type.as_str() {
            "reset" => self.check_reset(event, history),
            "opening" => {
                assert!(self.at.is_none(), "word of where it begins, and it is at {:?}", self.at)
            }
            _ => {
                let number: usize = event.data.parse().expect("a number");
                let is_it = |place: &&Place| history.places[**place].number == number;
                let events: Vec<Place> = named.iter().filter(is_it).copied().collect();
                assert!(!events.is_empty(), "{event:?} is not what was stored there");
                let is_next = events.iter().any(|event| match &self.at {
                    Some(at) => history.follows(*event, at),
                    None if self.start == Start::Oldest => history.is_the_oldest(*event),
                    None => true,
                });
                assert!(
                    is_next || self.is_forgiven || self.is_confused || self.is_to_be_told,
                    "lost, repeated or out of order: {event:?} at {:?}, after {:?}",
                    events,
                    self.at
                );
                let was_deleted = events.iter().all(|event| self.must_not_see.contains(event));
                assert!(!was_deleted, "{event:?} was deleted before it came");
                // Who has had nothing before has lost nothing.
                self.is_to_be_told &= self.at.is_some();
                self.at = Some(events);
                self.is_forgiven = false;
                return;
            }
        }
        (self.at, self.is_forgiven, self.is_to_be_told) = (Some(named), false, false);
    }

    fn check_reset(&self, event: &Parsed, history: &History) {
        let said: Value = serde_json::from_str(&event.data).expect("JSON");
        let reason = said["reason"].as_str().expect("a reason");
        let last = self.last_event_id.as_str();
        let is_right = match (reason, &self.at) {
            (_, None) => reason == "too-old" || reason == "other-epoch",
            ("too-old", Some(at)) => history.is_trimmed_after(at),
            ("other-epoch", Some(_)) => {
                let epoch = |id: &str| id.split_once('.').map(|(epoch, _)| epoch.to_owned());
                last.is_empty() || epoch(last) != epoch(&event.last_event_id)
            }
            ("ahead-of-head", Some(at)) => {
                !history.line().any(|place| at.contains(&place)) || self.is_forgiven
            }
            _ => false,
        };
        assert!(
            is_right || self.is_confused || self.is_to_be_told,
            "{event:?} at {:?}, last {last}",
            self.at
        );
    }
}
