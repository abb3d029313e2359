//! The tally of a log: its size as reckoned between two counts, so that old events are dropped as fast as new ones come.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sse_core::store::{EncodedEvent, Retention, StoreError};
use tokio::sync::watch;

/// Number of events over the limit from which they are dropped.
const SURPLUS: u64 = 1000;

/// The reckoned size of a log.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    state: Mutex<State>,
    /// Number of passes that have dropped events, or failed to.
    pub(crate) passes: watch::Sender<u64>,
    /// Held while a pass drops events.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    is_counted: bool,
    is_running: bool,
    kept: Size,
    /// The events that are on their way to the server.
    pending: Size,
    /// The events that came since the last count began.
    added: Size,
    /// The newest message that is included.
    newest: u64,
    /// The reason for which the last pass failed.
    failed: Option<String>,
}

/// A number of events and their bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn remove(&mut self, other: Self) {
        self.events = self.events.saturating_sub(other.events);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// Room for events that are on their way. It is returned when this is dropped.
pub(crate) struct Room<'a> {
    tally: &'a Tally,
    size: Size,
}

/// Returns the size of these events.
pub(crate) fn size(events: &[EncodedEvent]) -> Size {
    let bytes = events.iter().map(|event| {
        let keys = [&event.key, &event.idempotency_key];
        let topics = event.topics.iter().map(|topic| topic.as_str().len()).sum::<usize>();
        event.block.len() + topics + keys.into_iter().flatten().map(|key| key.len()).sum::<usize>()
    });
    Size { events: events.len() as u64, bytes: bytes.sum::<usize>() as u64 }
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns room for these events, or `None` if the append must wait for a pass.
    pub(crate) fn attempt(
        &self,
        size: Size,
        retention: &Retention,
        has_waited: bool,
    ) -> Result<Option<Room<'_>>, StoreError> {
        let mut state = self.lock();
        if !state.is_counted && !has_waited {
            return Ok(None);
        }
        let mut then = state.kept;
        then.add(state.pending);
        then.add(size);
        let too_many =
            then.events > (retention.events as u64).saturating_mul(2).saturating_add(SURPLUS);
        let too_large = then.bytes > (retention.bytes as u64).saturating_mul(2).max(size.bytes);
        if too_many || too_large {
            if !has_waited {
                return Ok(None);
            }
            if let Some(failed) = &state.failed {
                let error = format!(
                    "append failed: the log is full, and dropping old events failed: {failed}"
                );
                return Err(StoreError::failed(error));
            }
            // The newest event is kept at any size, and the events of one call at any number. They are the only ones on their way then.
            if state.pending.events > 0 {
                return Ok(None);
            }
        }
        state.pending.add(size);
        Ok(Some(Room { tally: self, size }))
    }

    /// Begins a count.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.added = Size::default();
    }

    /// Ends a count: the log had this size when this was the newest message.
    pub(crate) fn counted(&self, kept: Size, newest: u64) {
        let mut state = self.lock();
        let unseen = state.newest.saturating_sub(newest).max(state.added.events);
        let since = Size { events: unseen, bytes: state.added.bytes };
        (state.is_counted, state.kept) = (true, kept);
        state.kept.add(since);
        state.newest = state.newest.max(newest);
    }

    /// Ends the first count, before anything was stored here. Returns false if it was not the first.
    pub(crate) fn counted_first(&self, kept: Size, newest: u64) -> bool {
        let mut state = self.lock();
        let is_first = !state.is_counted && state.newest == 0 && state.pending == Size::default();
        if is_first {
            (state.is_counted, state.kept, state.newest) = (true, kept, newest);
        }
        is_first
    }

    /// Begins a pass that drops events. Returns false if one is running.
    pub(crate) fn begin_pass(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_running, true)
    }

    /// Ends a pass that drops events. Returns true if the pass before failed.
    pub(crate) fn end(&self, outcome: Result<(), &StoreError>) -> bool {
        let mut state = self.lock();
        state.is_running = false;
        let before = state.failed.take();
        state.failed = outcome.err().map(|error| {
            let cause = std::error::Error::source(error);
            cause.map_or_else(|| error.to_string(), ToString::to_string)
        });
        drop(state);
        self.passes.send_modify(|n| *n += 1);
        before.is_some()
    }
}

impl Room<'_> {
    /// Counts the events that were stored in this message. Returns true if the log then has too many.
    pub(crate) fn stored(&self, message: u64, retention: &Retention) -> bool {
        let mut state = self.tally.lock();
        // Messages in between are from other processes, and this one may have been counted as one of them.
        let is_new = message > state.newest;
        let others = if is_new && state.newest > 0 { message - state.newest - 1 } else { 0 };
        let mut size = self.size;
        size.events = if is_new { size.events + others } else { size.events.saturating_sub(1) };
        state.newest = state.newest.max(message);
        state.kept.add(size);
        state.added.add(size);
        let most = retention.bytes as u64;
        state.kept.events >= (retention.events as u64).saturating_add(SURPLUS)
            || state.kept.bytes > most.saturating_add(most / 8)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.tally.lock().pending.remove(self.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_append_at_a_time_is_admitted_beyond_the_limits() {
        let retention = Retention { events: 10, bytes: 100, age: None };
        let large = Size { events: 1, bytes: 1000 };
        let many = Size { events: 5000, bytes: 1 };
        for size in [large, many] {
            let tally = Tally::default();
            tally.counted(Size::default(), 1);
            let attempt = || tally.attempt(size, &retention, true).expect("no pass has failed");
            let first = attempt().expect("it is admitted alone");
            assert!(attempt().is_none(), "{size:?} beside another");
            drop(first);
            assert!(attempt().is_some(), "{size:?} after the other");
        }
    }
}
