use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::log::follower::shared::{Follow, Unused};
use crate::log::handle::EventLog;
use crate::log::options::StoreOptions;
use crate::log::retry::Backoff;
use crate::store::Retention;
use crate::{Epoch, Position};

/// The longest time between two calls of `retain`.
const APART: Duration = Duration::from_secs(10);
/// The shortest time between two calls, however short the age.
const LEAST_APART: Duration = Duration::from_secs(1);

/// Returns the time between two calls of `retain` with these limits.
fn apart(retention: &Retention) -> Duration {
    retention.age.map_or(APART, |age| (age / 10).clamp(LEAST_APART, APART))
}

impl Follow {
    /// Has the store drop the events over the limits: once, and then again after an event was appended, or can have become too old.
    pub(crate) async fn retain(&self, options: &StoreOptions) -> Result<(), Unused> {
        let (retention, mut backoff) = (options.retention(), Backoff::new());
        loop {
            let before = self.log()?.newest_stored();
            if let Err(error) = self.within(self.store.retain(&retention)).await {
                self.retaining.begins(&error);
                backoff.wait(&self.timer).await;
                continue;
            }
            self.retaining.is_over();
            if let Some(observer) = self.log()?.observer() {
                observer.tell(|observer| observer.retained());
            }
            backoff = Backoff::new();
            self.timer.sleep(apart(&retention)).await;
            // If the log has only its newest event, `retain` is not called: only older events can be dropped.
            let is_due = || {
                let Ok(log) = self.log() else { return true };
                log.newest_stored() != before || (retention.age.is_some() && log.may_grow_old())
            };
            poll_fn(|_| if is_due() { Poll::Ready(()) } else { Poll::Pending }).await;
        }
    }
}

impl EventLog {
    /// Returns the newest event that the store is known to have.
    fn newest_stored(&self) -> (Epoch, Position) {
        let state = self.lock();
        (state.tail.epoch(), state.newest())
    }

    /// Returns true if the store is known to keep an event older than the newest.
    fn may_grow_old(&self) -> bool {
        let state = self.lock();
        let oldest = state.backing.oldest(&state.tail);
        oldest.is_some_and(|oldest| oldest < state.newest())
    }
}
