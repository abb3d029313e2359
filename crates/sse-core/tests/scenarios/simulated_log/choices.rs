//! The choices of an application for its streams, as far as a log can tell them apart.

use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;
use sse_core::{
    BoxError, Event, EventId, EventLog, EventType, Feed, MakeSnapshot, OnGap, Snapshot,
    SnapshotRequest, Start,
};

use crate::simulation::wait_some_polls;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterGap {
    Reset,
    StartOver,
    Snapshot,
    Live,
    Stop,
}

/// All of them.
pub(crate) const AFTER_GAP: &[AfterGap] =
    &[AfterGap::Reset, AfterGap::StartOver, AfterGap::Snapshot, AfterGap::Live, AfterGap::Stop];

#[derive(Clone)]
pub(crate) struct Choices {
    pub(crate) start: Start,
    /// A first visit begins with a snapshot, in place of this start.
    pub(crate) begins_with_a_snapshot: bool,
    pub(crate) on_gap: AfterGap,
    pub(crate) has_opening_event: bool,
    pub(crate) snapshots: Snapshots,
}

impl Choices {
    /// Returns what comes after a gap: to start over may be to begin with a snapshot.
    pub(crate) fn after_gap(&self) -> AfterGap {
        match self.on_gap {
            AfterGap::StartOver if self.begins_with_a_snapshot => AfterGap::Snapshot,
            on_gap => on_gap,
        }
    }

    /// Gives a feed of these logs the options. The logs are known by their names, a single one by none.
    pub(crate) fn options(&self, feed: Feed, logs: Vec<(&'static str, EventLog)>) -> Feed {
        let feed = match self.has_opening_event {
            true => feed.position_event(EventType::from_static("opening")),
            false => feed,
        };
        let start = match self.begins_with_a_snapshot {
            true => Start::Snapshot(self.snapshots.maker(logs.clone())),
            false => self.start.clone(),
        };
        feed.start_at(start).on_gap(match self.on_gap {
            AfterGap::Reset => OnGap::Reset,
            AfterGap::StartOver => OnGap::StartOver,
            AfterGap::Snapshot => OnGap::Snapshot(self.snapshots.maker(logs)),
            AfterGap::Live => OnGap::Live,
            AfterGap::Stop => OnGap::Stop,
        })
    }
}

/// Makes the snapshots of one client, and remembers them.
#[derive(Clone)]
pub(crate) struct Snapshots(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    kind: Kind,
    made: Vec<Made>,
}

#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// A position from before a snapshot was made may be too old once the snapshot is ready. So in a busy log each has the position
    /// of its end, and none fails.
    pub(crate) are_sound: bool,
    pub(crate) fewest_events: usize,
    /// Some are larger than a chunk.
    pub(crate) are_large: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Made {
    pub(crate) log: &'static str,
    /// The id of its position, once it is ready.
    pub(crate) at: Option<EventId>,
    /// The number of its events.
    pub(crate) count: usize,
    pub(crate) has_failed: bool,
}

impl Snapshots {
    pub(crate) fn new(rng: Rng, kind: Kind) -> Self {
        Self(Arc::new(Mutex::new(State { rng, kind, made: Vec::new() })))
    }

    /// The snapshot of this log that was begun last, and its number.
    pub(crate) fn last_of(&self, log: &str) -> Option<(usize, Made)> {
        let state = self.lock();
        let mut made = state.made.iter().enumerate().rev();
        made.find(|(_, made)| made.log == log).map(|(number, made)| (number, made.clone()))
    }

    fn maker(&self, logs: Vec<(&'static str, EventLog)>) -> MakeSnapshot {
        let snapshots = self.clone();
        MakeSnapshot::new(move |request: SnapshotRequest| {
            let of =
                |(name, _): &&(&str, EventLog)| request.log.as_deref().is_none_or(|of| of == *name);
            let (name, log) = logs.iter().find(of).expect("one of the logs").clone();
            snapshots.clone().make(name, log)
        })
    }

    async fn make(self, name: &'static str, log: EventLog) -> Result<Snapshot, BoxError> {
        let before = log.stats().newest;
        let (number, polls, is_of_before) = {
            let mut state = self.lock();
            state.made.push(Made { log: name, ..Made::default() });
            let polls = if state.rng.bool() { 0 } else { state.rng.usize(1..4) };
            (state.made.len() - 1, polls, !state.kind.are_sound && state.rng.bool())
        };
        wait_some_polls(polls).await;
        let at = if is_of_before { before } else { log.stats().newest };
        let mut state = self.lock();
        if !state.kind.are_sound && state.rng.u8(..16) == 0 {
            state.made[number].has_failed = true;
            return Err("the state is away".into());
        }
        let fewest = state.kind.fewest_events;
        let (count, size) = match state.rng.u8(..128) {
            0 if state.kind.are_large => (state.rng.usize(60..150), 1100),
            _ => (state.rng.usize(fewest..4), 10),
        };
        let event = |i| {
            let text = format!("{name} {number} {i} {}", "x".repeat(size));
            Event::typed("state", text)
        };
        let made = &mut state.made[number];
        (made.count, made.at) = (count, Some(at.clone()));
        Ok(snapshot((0..count).map(event).collect(), at))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("not poisoned")
    }
}

fn snapshot(events: Vec<Event>, at: EventId) -> Snapshot {
    Snapshot::new(events, at)
}
