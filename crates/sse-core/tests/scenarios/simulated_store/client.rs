//! A client, which knows what must come next.

use std::collections::HashSet;
use std::time::Instant;

use fastrand::Rng;
use sse_core::{Epoch, EventLog, EventType, Feed, Position, Start};

use super::choices::{Choice, Snapshots, any_start};
use super::history::{History, Place};
use super::liveness::Wait;
use crate::simulation::Reader;
use crate::support::scripted_store::ScriptedStore;

pub(super) struct Client {
    pub(super) reader: Reader,
    pub(super) start: Start,
    pub(super) choice: Choice,
    pub(super) snapshots: Snapshots,
    has_opening: bool,
    /// To which process it is connected.
    pub(super) process: usize,
    /// The epoch in which that process is.
    pub(super) epoch: Epoch,
    /// The last id it saw.
    pub(super) last_event_id: String,
    /// Its position: the places that the last id it saw may name.
    pub(super) at: Option<Vec<Place>>,
    /// The places that it has seen, since it came for the first time.
    pub(super) seen: HashSet<Place>,
    /// True if there was something to begin with.
    pub(super) has_something_to_begin_with: bool,
    /// It may be told nothing, since nobody is left who knows what was lost.
    pub(super) is_forgiven: bool,
    /// It may get events of two pasts now.
    pub(super) is_confused: bool,
    /// It has been given such, or may have been, until it is told so.
    pub(super) is_to_be_told: bool,
    /// The time by which its process has asked the store about its id.
    pub(super) is_checked_by: Option<Instant>,
    /// Before this it does not come back.
    pub(super) rests_until: Option<Instant>,
    /// It has seen the end.
    pub(super) is_done: bool,
    /// The places that its process has deleted before it came.
    pub(super) must_not_see: Vec<Place>,
    /// For how long it has waited for an event that the log has.
    pub(super) wait: Wait,
}

impl Client {
    /// A client that comes for the first time.
    pub(super) fn any(rng: &mut Rng, store: &ScriptedStore, history: &History) -> Self {
        let (start, choice) = (any_start(rng, history), Choice::any(rng));
        Self::new(start, choice, Snapshots::new(rng, store), history)
    }

    pub(super) fn new(
        start: Start,
        choice: Choice,
        snapshots: Snapshots,
        history: &History,
    ) -> Self {
        let mut client = Self {
            reader: Reader::new(""),
            start,
            choice,
            has_opening: snapshots.events != 1,
            snapshots,
            process: 0,
            epoch: history.epoch,
            last_event_id: String::new(),
            at: None,
            seen: HashSet::new(),
            has_something_to_begin_with: false,
            is_forgiven: false,
            is_confused: false,
            is_to_be_told: false,
            is_checked_by: None,
            rests_until: None,
            is_done: false,
            must_not_see: Vec::new(),
            wait: Wait::default(),
        };
        if let Start::After(id) = &client.start {
            id.as_str().clone_into(&mut client.last_event_id);
            client.at = Some(history.named(id.as_str()));
        }
        client
    }

    /// Tells whether there is something that it begins with, if this event is the newest that its process knows of.
    pub(super) fn can_begin_with(
        &self,
        newest: Option<(Epoch, Position)>,
        store: &ScriptedStore,
    ) -> bool {
        let kept = store.kept_after(Position::START);
        let first = match self.start {
            Start::Last(count) => kept.len().saturating_sub(count),
            Start::Since(limit) => {
                let is_older = |age| age > limit;
                kept.iter()
                    .take_while(|event| store.age(event.position).is_some_and(is_older))
                    .count()
            }
            _ => 0,
        };
        newest.is_some_and(|(epoch, newest)| {
            epoch == store.now().epoch
                && kept.get(first).is_some_and(|event| event.position <= newest)
        })
    }

    /// Tells whether it begins with the next event: by its choice, or because no event is so new.
    pub(super) fn has_begun_live_if_at_all(&self) -> bool {
        match self.start {
            Start::Live => true,
            Start::Since(_) => !self.has_something_to_begin_with,
            _ => false,
        }
    }

    pub(super) fn connect(&mut self, process: usize, log: &EventLog, history: &History) {
        self.process = process;
        self.snapshots.forget();
        self.wait = Wait::default();
        let on_gap = self.choice.on_gap(&self.snapshots);
        let mut feed: Feed = log.feed().start_at(self.start.clone()).on_gap(on_gap);
        if self.has_opening {
            feed = feed.position_event(EventType::from_static("opening"));
        }
        if !self.reader.is_answered(feed) {
            self.end(history);
            if !self.is_done {
                self.come_for_the_first_time();
            }
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

    /// It was told to stop for a gap: its user comes again, without an id.
    fn come_for_the_first_time(&mut self) {
        self.reader = Reader::new("");
        self.start = Start::Oldest;
        self.last_event_id.clear();
        self.at = None;
        (self.is_forgiven, self.is_to_be_told) = (false, false);
        self.seen.clear();
    }
}
