//! The starts of clients, and their choices for a gap.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use sse_core::{EventId, OnGap, Position, Snapshot, Start};

use super::history::History;
use crate::simulation::wait_some_polls;
use crate::support::scripted_store::ScriptedStore;

/// The choice of a client for a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Reset,
    StartOver,
    Live,
    Stop,
    Snapshot,
}

impl Choice {
    pub(super) fn any(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 | 1 => Self::Reset,
            2 => Self::StartOver,
            3 => Self::Stop,
            4 | 5 => Self::Live,
            _ => Self::Snapshot,
        }
    }

    pub(super) fn on_gap(self, snapshots: &Snapshots) -> OnGap {
        match self {
            Self::Reset => OnGap::Reset,
            Self::StartOver => OnGap::StartOver,
            Self::Live => OnGap::Live,
            Self::Stop => OnGap::Stop,
            Self::Snapshot => snapshots.on_gap(),
        }
    }
}

/// Any beginning; if it is after an event, then after one that the log has or had.
pub(super) fn any_start(rng: &mut Rng, history: &History) -> Start {
    match rng.u8(..10) {
        0..3 => Start::Oldest,
        3 | 4 => Start::Live,
        5 | 6 => Start::Last([1, 3, 20][rng.usize(..3)]),
        7 | 8 => Start::Since(Duration::from_millis([0, 10, 300, 5000][rng.usize(..4)])),
        _ => Start::After(history.any_id(rng)),
    }
}

/// Snapshots of one client, each of what the store has when it is asked for.
#[derive(Clone)]
pub(super) struct Snapshots {
    store: ScriptedStore,
    /// The number of events of each.
    pub(super) events: usize,
    /// The number of polls in which each is not ready.
    polls: usize,
    /// The snapshot that was asked for last.
    asked: Arc<Mutex<Option<EventId>>>,
}

impl Snapshots {
    pub(super) fn new(rng: &mut Rng, store: &ScriptedStore) -> Self {
        let (events, polls) = (rng.usize(..3), rng.usize(..3));
        Self { store: store.clone(), events, polls, asked: Arc::default() }
    }

    /// The position for which the snapshot stands that was asked for, if any was.
    pub(super) fn asked(&self) -> Option<EventId> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No snapshot is waited for any more.
    pub(super) fn forget(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn on_gap(&self) -> OnGap {
        let snapshots = self.clone();
        OnGap::snapshot(move |_| {
            let bounds = snapshots.store.now();
            // Other processes may have appended it: this one need not have followed that far.
            let at = bounds.newest.id(bounds.epoch);
            *snapshots.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(at.clone());
            let (events, polls) = (snapshots.events, snapshots.polls);
            async move {
                wait_some_polls(polls).await;
                Ok(snapshot(events, at))
            }
        })
    }
}

fn snapshot(events: usize, at: EventId) -> Snapshot {
    let events = (0..events).map(|n| format!("state {n}").into()).collect();
    Snapshot { events, at }
}

/// The epoch and the position of an id that a log gave.
pub(super) fn parts_of(id: &str) -> Option<(&str, Position)> {
    let (epoch, position) = id.split_once('.')?;
    Some((epoch, position.parse().expect("a position")))
}
