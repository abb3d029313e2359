//! The state that the parts of a follower share.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::log::follower::slow::{Slow, certain};
use crate::log::follower::trouble::{FOLLOWING, READING, RETAINING, Trouble};
use crate::log::handle::{EventLog, Shared};
use crate::log::retry::within;
use crate::store::{Page, PageLimit, Store, StoreError, TopicFilter, TopicPage};
use crate::{Position, Timer};

/// The state that the parts of a follower share. No part keeps the log alive: the log ends with its last handle.
pub(crate) struct Follow {
    log: Weak<Shared>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) timer: Timer,
    pub(crate) timeout: Duration,
    slow: Slow,
    pub(crate) following: Trouble,
    pub(crate) reading: Trouble,
    pub(crate) retaining: Trouble,
}

/// The reason to end: the log is no longer in use.
pub(crate) struct Unused;

impl Follow {
    pub(crate) fn new(
        log: Weak<Shared>,
        store: Arc<dyn Store>,
        timer: Timer,
        timeout: Duration,
    ) -> Self {
        let trouble = |task| Trouble::new(log.clone(), store.name(), task);
        Self {
            following: trouble(FOLLOWING),
            reading: trouble(READING),
            retaining: trouble(RETAINING),
            log,
            store,
            timer,
            timeout,
            slow: Slow::default(),
        }
    }

    pub(crate) fn log(&self) -> Result<EventLog, Unused> {
        self.log.upgrade().map(EventLog).ok_or(Unused)
    }

    /// Reads a page, or fails if that takes too long.
    pub(crate) async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        self.slow.within(&self.timer, self.timeout, self.store.read(after, limit)).await
    }

    /// Reads a page of the events that pass a filter, or fails if that takes too long.
    pub(crate) async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        let read = self.store.read_topics(after, filter, limit);
        self.slow.within(&self.timer, self.timeout, read).await
    }

    /// Waits for a call of the store, or fails if that takes too long. These calls change no event, so the failure is certain.
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        within(&self.timer, self.timeout, call).await.map_err(certain)
    }
}

pub(crate) enum Failed {
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
