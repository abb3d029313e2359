use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;
use futures_util::pin_mut;

use crate::log::follower::shared::{Follow, Unused};
use crate::log::handle::EventLog;
use crate::log::options::StoreOptions;
use crate::log::retry::Backoff;
use crate::store::Retention;
use crate::{Epoch, Position};

/// The longest time after which the store drops what was appended, and what has become too old.
const APART: Duration = Duration::from_secs(10);
/// The shortest time between two calls of `retain`, however short the age.
const LEAST_APART: Duration = Duration::from_secs(1);
/// The longest time between two calls while an event grows old: a store can keep the time of its log by these calls.
const LONGEST: Duration = Duration::from_secs(300);

/// Returns the shortest time between two calls of `retain` with these limits.
fn apart(retention: &Retention) -> Duration {
    retention.age.map_or(APART, |age| (age / 10).clamp(LEAST_APART, APART))
}

impl Follow {
    /// Has the store drop the events over the limits: once, and then again after an event was appended, or can have become too old.
    pub(crate) async fn retain(&self, options: &StoreOptions) -> Result<(), Unused> {
        let (retention, mut backoff) = (options.retention(), Backoff::new());
        let apart = apart(&retention);
        loop {
            let before = self.log()?.newest_stored();
            let grows_old = match self.within(self.store.retain(&retention)).await {
                Ok(grows_old) => grows_old.filter(|_| retention.age.is_some()),
                Err(error) => {
                    self.retaining.begins(&error);
                    backoff.wait(&self.timer).await;
                    continue;
                }
            };
            self.retaining.is_over();
            self.log()?.tell(|observer| observer.retained());
            backoff = Backoff::new();
            self.timer.sleep(apart).await;
            let was_appended = poll_fn(|_| match self.log() {
                Ok(log) if log.newest_stored() == before => Poll::Pending,
                _ => Poll::Ready(()),
            });
            let grows_old = async {
                match grows_old {
                    Some(time) => self.timer.sleep(time.min(LONGEST).saturating_sub(apart)).await,
                    None => pending().await,
                }
            };
            pin_mut!(grows_old);
            select(was_appended, grows_old).await;
        }
    }
}

impl EventLog {
    /// Returns the newest event that the store is known to have.
    fn newest_stored(&self) -> (Epoch, Position) {
        let state = self.lock();
        (state.tail.epoch(), state.newest())
    }
}
