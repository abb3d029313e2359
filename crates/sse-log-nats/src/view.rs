//! What was seen of a log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sse_core::store::Bounds;
use tokio::time::Instant;

use crate::connection::changes::LogChanges;
use crate::jetstream::Info;
use crate::message::Kind;
use crate::names::Names;
use crate::record::Record;

/// What there is.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) bounds: Bounds,
    pub(crate) info: Info,
    pub(crate) record: Record,
}

impl View {
    /// How many events the messages have, the deleted ones of batches among them. The batches must have been counted.
    pub(crate) fn events(&self, names: &Names) -> u64 {
        let state = &self.info.state;
        let mut events = state.messages;
        for (subject, messages) in state.subjects.iter().flatten() {
            let of_them = messages.saturating_mul(Kind::of(subject, names).events());
            events = events.saturating_add(of_them).saturating_sub(*messages);
        }
        events
    }

    /// Whether no message is missing between the first and the last.
    pub(crate) fn is_dense(&self) -> bool {
        let state = &self.info.state;
        state.messages > 0 && state.last_seq - state.first_seq + 1 == state.messages
    }
}

/// For how long it is as good as another look.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The newest look that has counted the batches, until it is used.
#[derive(Debug, Default)]
pub(crate) struct RecentView(Mutex<Option<(Stamp, View)>>);

/// When a look began, and how often the record had changed by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    time: Instant,
    changed: u64,
}

impl RecentView {
    /// A look begins.
    pub(crate) fn now(&self, told: &LogChanges) -> Stamp {
        Stamp { time: Instant::now(), changed: *told.changed.borrow() }
    }

    pub(crate) fn keep(&self, at: Stamp, view: &View) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((at, view.clone()));
    }

    /// The look, if it is new enough and the record has not changed since. What the log has since is told otherwise.
    pub(crate) fn get(&self, told: &LogChanges) -> Option<View> {
        let now = self.now(told);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, view) = kept.as_ref()?;
        let is_good = now.time - at.time < GOOD_FOR && now.changed == at.changed;
        is_good.then(|| view.clone())
    }

    /// The same; it is not kept any longer.
    pub(crate) fn take(&self, told: &LogChanges) -> Option<View> {
        let view = self.get(told);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        view
    }
}
