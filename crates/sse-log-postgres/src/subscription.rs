use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sse_core::store::LogName;
use sse_core::{Cursor, Epoch};
use tokio::sync::Notify;

use crate::error::{Cause, Failure};

/// The followers of an engine's logs, by the logs' names.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    followers: Mutex<HashMap<LogName, Vec<Arc<Follower>>>>,
}

/// What a follower is told.
#[derive(Debug, Default)]
struct Follower {
    news: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Another process has said that there is news.
    is_told: bool,
    has_ended: bool,
    seen: Option<Top>,
}

/// By which it is known whether a log has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Top {
    /// The newest event that is stored, readable or not.
    pub(crate) newest: Option<Cursor>,
    pub(crate) epoch: Epoch,
    pub(crate) is_finished: bool,
    pub(crate) deletions: u64,
}

impl Subscriptions {
    pub(crate) fn add(self: &Arc<Self>, name: LogName) -> Subscription {
        let follower = Arc::new(Follower::default());
        self.followers().entry(name.clone()).or_default().push(Arc::clone(&follower));
        Subscription { name, follower, all: Arc::clone(self) }
    }

    /// The logs that are followed.
    pub(crate) fn names(&self) -> Vec<LogName> {
        self.followers().keys().cloned().collect()
    }

    /// Something was changed in this process.
    pub(crate) fn changed(&self, name: &LogName) {
        self.each(name, |follower| follower.news.notify_one());
    }

    /// Something was changed in another process.
    pub(crate) fn told(&self, name: &LogName) {
        self.each(name, |follower| {
            follower.state().is_told = true;
            follower.news.notify_one();
        });
    }

    /// This is what the log is like.
    pub(crate) fn compare(&self, name: &LogName, top: Option<Top>) {
        self.each(name, |follower| {
            if follower.state().seen != top {
                follower.news.notify_one();
            }
        });
    }

    /// All that follow have to begin again.
    pub(crate) fn end(&self) {
        for follower in std::mem::take(&mut *self.followers()).into_values().flatten() {
            follower.state().has_ended = true;
            follower.news.notify_one();
        }
    }

    fn each(&self, name: &LogName, tell: impl FnMut(&Arc<Follower>)) {
        self.followers().get(name).into_iter().flatten().for_each(tell);
    }

    fn followers(&self) -> MutexGuard<'_, HashMap<LogName, Vec<Arc<Follower>>>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one follower among them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    name: LogName,
    follower: Arc<Follower>,
    all: Arc<Subscriptions>,
}

impl Subscription {
    /// Returns when there may be news.
    pub(crate) async fn news(&self) {
        self.follower.news.notified().await;
    }

    /// Whether another process has told of news since this was asked.
    pub(crate) fn take_told(&self) -> bool {
        std::mem::take(&mut self.follower.state().is_told)
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.follower.state().has_ended {
            true => Err(Failure::before(Cause::NewServer)),
            false => Ok(()),
        }
    }

    /// The follower has seen this.
    pub(crate) fn saw(&self, top: Top) {
        self.follower.state().seen = Some(top);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut followers = self.all.followers();
        if let Some(of_log) = followers.get_mut(&self.name) {
            of_log.retain(|follower| !Arc::ptr_eq(follower, &self.follower));
            if of_log.is_empty() {
                followers.remove(&self.name);
            }
        }
    }
}
