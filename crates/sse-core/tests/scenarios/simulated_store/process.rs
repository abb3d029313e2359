//! A process: its log, the follower, and what it has asked of the log, each polled when it is woken.

use sse_core::{Epoch, Error, EventId, EventLog, Follower, Position, StoreOptions};

use super::choices::parts_of;
use crate::support::scripted_store::ScriptedStore;
use crate::support::task::Task;
use crate::support::virtual_clock::VirtualClock;

type Opening = Task<Result<(EventLog, Follower), Error>>;

pub(super) struct Process {
    store: ScriptedStore,
    options: StoreOptions,
    clock: VirtualClock,
    opening: Option<Opening>,
    pub(super) log: Option<EventLog>,
    follower: Option<Task<()>>,
    /// The newest event that its follower has brought.
    newest: Option<(Epoch, Position)>,
    /// The newest event that was acknowledged to it, in an epoch that it knew.
    pub(super) acknowledged: Option<(Epoch, Position)>,
    /// The epoch in which the store has lost events that this process knows: until it begins another, it knows two pasts.
    pub(super) confused_in: Option<Epoch>,
}

impl Process {
    pub(super) fn new(store: &ScriptedStore, options: StoreOptions, clock: &VirtualClock) -> Self {
        let (store, clock) = (store.clone(), clock.clone());
        let mut process = Self {
            store,
            options,
            clock,
            opening: None,
            log: None,
            follower: None,
            newest: None,
            acknowledged: None,
            confused_in: None,
        };
        process.start();
        process
    }

    /// It ends, if it runs, and another begins.
    pub(super) fn start(&mut self) {
        (self.log, self.follower, self.confused_in) = (None, None, None);
        (self.newest, self.acknowledged) = (None, None);
        let opening = EventLog::open(self.store.clone(), self.options.clone(), self.clock.timer());
        self.opening = Some(Task::new(opening));
    }

    /// Tells whether it has yet to learn of losses that a client with this id must be told of.
    pub(super) fn is_confused_about(&self, last_event_id: &str) -> bool {
        let is_of = |epoch: &Epoch| last_event_id.starts_with(epoch.as_str());
        self.is_confused() && self.confused_in.as_ref().is_some_and(is_of)
    }

    pub(super) fn is_confused(&self) -> bool {
        self.confused_in.is_some_and(|epoch| self.newest().is_some_and(|(now, _)| now == epoch))
    }

    /// These events were stored, it is told.
    pub(super) fn acknowledge(&mut self, ids: &[EventId]) {
        for id in ids {
            let (epoch, position) = parts_of(id.as_str()).expect("epoch and position");
            let known = self.newest.map(|(epoch, _)| epoch).filter(|known| known.as_str() == epoch);
            let Some(epoch) = known else { continue };
            let before = self.acknowledged.filter(|(of, _)| *of == epoch);
            let newest = before.map_or(position, |(_, before)| before.max(position));
            self.acknowledged = Some((epoch, newest));
        }
    }

    /// The newest event that it knows of in this epoch, if it is in it: one that it has followed to, or that was acknowledged.
    pub(super) fn newest_in(&self, epoch: Epoch) -> Option<Position> {
        let (_, newest) = self.newest.filter(|(of, _)| *of == epoch)?;
        let acknowledged = self.acknowledged.filter(|(of, _)| *of == epoch);
        Some(acknowledged.map_or(newest, |(_, acknowledged)| newest.max(acknowledged)))
    }

    /// Returns the newest event that its follower has brought.
    pub(super) fn newest(&self) -> Option<(Epoch, Position)> {
        self.newest
    }

    /// Reads what only its follower changes.
    fn look(&mut self) {
        self.newest = self.log.as_ref().map(|log| {
            let newest = log.stats().newest;
            let (epoch, position) = parts_of(newest.as_str()).expect("epoch and position");
            (epoch.parse().expect("an epoch"), position)
        });
    }

    /// Polls all its tasks. Returns true if anything happened.
    pub(super) fn poll(&mut self) -> bool {
        if let Some(opening) = &mut self.opening {
            let (opened, was_polled) = opening.poll();
            match opened {
                Some(Ok((log, follower))) => {
                    (self.log, self.follower) = (Some(log), Some(Task::new(follower)));
                    self.opening = None;
                }
                Some(Err(error)) => {
                    assert!(error.is_store(), "{error}");
                    self.start();
                    self.clock.pass(std::time::Duration::from_millis(1));
                }
                None => {}
            }
            self.look();
            return was_polled;
        }
        let (ended, was_polled) = self.follower.as_mut().map_or((None, false), Task::poll);
        assert!(ended.is_none(), "a follower runs for as long as its log is there");
        if was_polled {
            self.look();
        }
        if !self.is_confused() {
            self.confused_in = None;
        }
        was_polled
    }
}
