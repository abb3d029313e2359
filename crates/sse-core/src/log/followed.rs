//! What the parts of a follower have in common.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::log::handle::{EventLog, Shared};
use crate::log::patience::within;
use crate::log::slow::{Slow, certain};
use crate::log::trouble::Trouble;
use crate::store::{Page, PageLimit, Store, StoreError};
use crate::{Cursor, Timer};

/// What the parts of a follower have in common. None of them holds the log: it ends with its last handle.
pub(super) struct Follow {
    log: Weak<Shared>,
    pub(super) store: Arc<dyn Store>,
    pub(super) timer: Timer,
    pub(super) timeout: Duration,
    slow: Slow,
    pub(super) following: Trouble,
    pub(super) reading: Trouble,
    pub(super) retaining: Trouble,
    pub(super) appending: Trouble,
}

/// The log is in use no more.
pub(super) struct Unused;

impl Follow {
    pub(super) fn new(
        log: Weak<Shared>,
        store: Arc<dyn Store>,
        timer: Timer,
        timeout: Duration,
    ) -> Self {
        let trouble = |what| Trouble::new(store.name(), what);
        Self {
            following: trouble("following the store of an event log"),
            reading: trouble("reading what is behind the tail of an event log"),
            retaining: trouble("having a store drop what is over the limits of an event log"),
            appending: trouble("storing events of `append_now`"),
            log,
            store,
            timer,
            timeout,
            slow: Slow::default(),
        }
    }

    pub(super) fn log(&self) -> Result<EventLog, Unused> {
        self.log.upgrade().map(EventLog).ok_or(Unused)
    }

    /// Reads a page, or fails once that takes too long.
    pub(super) async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        self.slow.within(&self.timer, self.timeout, self.store.read(after, limit)).await
    }

    /// The answer of the store, or an error once that takes too long. What is asked for here changes no event: it has failed then.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        within(&self.timer, self.timeout, call).await.map_err(certain)
    }
}

pub(super) enum Failed {
    Store(StoreError),
    Unused,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unused> for Failed {
    fn from(_: Unused) -> Self {
        Self::Unused
    }
}
