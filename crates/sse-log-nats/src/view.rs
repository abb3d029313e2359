//! The view of a log: its bounds, its stream and its record, as last loaded.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sse_core::store::Bounds;
use tokio::time::Instant;

use crate::connection::changes::LogChanges;
use crate::jetstream::Info;
use crate::message::Kind;
use crate::names::Names;
use crate::record::Record;

/// The bounds of a log, with the state of its stream and the record that they come from.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) bounds: Bounds,
    pub(crate) info: Info,
    pub(crate) record: Record,
}

impl View {
    /// Returns the number of events in the messages, including deleted events of batches. The view must have counted the batches.
    pub(crate) fn events(&self, names: &Names) -> u64 {
        let state = &self.info.state;
        let mut events = state.messages;
        for (subject, messages) in state.subjects.iter().flatten() {
            let of_them = messages.saturating_mul(Kind::of(subject, names).events());
            events = events.saturating_add(of_them).saturating_sub(*messages);
        }
        events
    }

    /// Returns true if no message is missing between the first and the last.
    pub(crate) fn is_dense(&self) -> bool {
        let state = &self.info.state;
        state.messages > 0 && state.last_seq - state.first_seq + 1 == state.messages
    }
}

/// Time for which a view may be used again.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The newest view that has counted the batches, until it is used. Following and retention begin with it while a log is being opened.
#[derive(Debug, Default)]
pub(crate) struct RecentView(Mutex<Option<(Stamp, View)>>);

/// The time at which loading a view began, and the number of changes of the record by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    time: Instant,
    changed: u64,
}

impl RecentView {
    /// Returns the stamp of a view that is about to be loaded.
    pub(crate) fn now(&self, changes: &LogChanges) -> Stamp {
        Stamp { time: Instant::now(), changed: *changes.changed.borrow() }
    }

    pub(crate) fn keep(&self, at: Stamp, view: &View) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((at, view.clone()));
    }

    /// Returns the view, if it is new enough and the record has not changed since. New events are not in it.
    pub(crate) fn get(&self, changes: &LogChanges) -> Option<View> {
        let now = self.now(changes);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, view) = kept.as_ref()?;
        let is_good = now.time - at.time < GOOD_FOR && now.changed == at.changed;
        is_good.then(|| view.clone())
    }

    /// Returns the view, and keeps it no longer.
    pub(crate) fn take(&self, changes: &LogChanges) -> Option<View> {
        let view = self.get(changes);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        view
    }
}
