use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sse_core::store::LogName;
use sse_core::{Epoch, Position};
use tokio::sync::Notify;

use crate::error::{Cause, Failure};

/// The followers of an engine's logs, by the logs' names.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    followers: Mutex<HashMap<LogName, Vec<Arc<Follower>>>>,
}

/// One follower, as the engine notifies it.
#[derive(Debug, Default)]
struct Follower {
    notification: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// True if another process has notified since the follower last asked.
    was_notified: bool,
    has_ended: bool,
    seen: Option<Top>,
}

/// State of a log that differs after each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Top {
    /// The newest event that is stored, readable or not.
    pub(crate) newest: Option<Position>,
    pub(crate) epoch: Epoch,
    pub(crate) is_finished: bool,
    pub(crate) deletions: u64,
}

impl Subscriptions {
    /// Adds a follower of this log.
    pub(crate) fn add(self: &Arc<Self>, name: LogName) -> Subscription {
        let follower = Arc::new(Follower::default());
        self.followers().entry(name.clone()).or_default().push(Arc::clone(&follower));
        Subscription { name, follower, all: Arc::clone(self) }
    }

    /// Returns the names of the logs that are followed.
    pub(crate) fn names(&self) -> Vec<LogName> {
        self.followers().keys().cloned().collect()
    }

    /// Notifies the followers of a log of a change by this process.
    pub(crate) fn notify_own(&self, name: &LogName) {
        self.each(name, |follower| follower.notification.notify_one());
    }

    /// Notifies the followers of a log of a change by another process.
    pub(crate) fn notify_from_other(&self, name: &LogName) {
        self.each(name, |follower| {
            follower.state().was_notified = true;
            follower.notification.notify_one();
        });
    }

    /// Notifies the followers that have not seen this state of the log.
    pub(crate) fn compare(&self, name: &LogName, top: Option<Top>) {
        self.each(name, |follower| {
            if follower.state().seen != top {
                follower.notification.notify_one();
            }
        });
    }

    /// Ends all subscriptions: their followers begin again.
    pub(crate) fn end(&self) {
        for follower in std::mem::take(&mut *self.followers()).into_values().flatten() {
            follower.state().has_ended = true;
            follower.notification.notify_one();
        }
    }

    fn each(&self, name: &LogName, notify: impl FnMut(&Arc<Follower>)) {
        self.followers().get(name).into_iter().flatten().for_each(notify);
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

/// The registration of one follower, until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    name: LogName,
    follower: Arc<Follower>,
    all: Arc<Subscriptions>,
}

impl Subscription {
    /// Returns when the follower is notified.
    pub(crate) async fn notified(&self) {
        self.follower.notification.notified().await;
    }

    /// Returns true if another process has notified since the last call.
    pub(crate) fn take_notification(&self) -> bool {
        std::mem::take(&mut self.follower.state().was_notified)
    }

    /// Fails if the subscription has ended.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.follower.state().has_ended {
            true => Err(Failure::before_sending(Cause::NewServer)),
            false => Ok(()),
        }
    }

    /// Records the state that the follower has seen.
    pub(crate) fn set_seen(&self, top: Top) {
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
