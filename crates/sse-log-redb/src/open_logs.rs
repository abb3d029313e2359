//! Registry of the logs of a file that are in use in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sse_core::store::{Bounds, LogName, StoredEvent};

use crate::follower_queue::FollowerQueue;
use crate::names::TableNames;

/// State of a log that all its handles in this process share.
#[derive(Debug)]
pub(crate) struct OpenLog {
    pub(crate) name: LogName,
    pub(crate) tables: TableNames,
    followers: Mutex<Vec<Weak<FollowerQueue>>>,
}

impl OpenLog {
    pub(crate) fn follow(&self, queue: &Arc<FollowerQueue>) {
        let mut followers = lock(&self.followers);
        followers.retain(|queue| queue.strong_count() > 0);
        followers.push(Arc::downgrade(queue));
    }

    pub(crate) fn is_followed(&self) -> bool {
        lock(&self.followers).iter().any(|queue| queue.strong_count() > 0)
    }

    fn each(&self, mut act: impl FnMut(&FollowerQueue)) {
        let followers = lock(&self.followers).clone();
        followers.iter().filter_map(Weak::upgrade).for_each(|queue| act(&queue));
    }
}

/// Logs by name. If there are many, those that are no longer in use are removed.
#[derive(Debug, Default)]
pub(crate) struct OpenLogs(Mutex<Logs>);

#[derive(Debug, Default)]
struct Logs {
    logs: BTreeMap<LogName, Weak<OpenLog>>,
    /// Number of logs in use when unused logs were last removed.
    in_use: usize,
}

impl OpenLogs {
    pub(crate) fn get(&self, name: &LogName) -> Arc<OpenLog> {
        let mut logs = lock(&self.0);
        if let Some(open_log) = logs.logs.get(name).and_then(Weak::upgrade) {
            return open_log;
        }
        if logs.logs.len() > 2 * logs.in_use + 100 {
            logs.logs.retain(|_, open_log| open_log.strong_count() > 0);
            logs.in_use = logs.logs.len();
        }
        let open_log = Arc::new(OpenLog {
            name: name.clone(),
            tables: TableNames::of(name),
            followers: Mutex::default(),
        });
        logs.logs.insert(name.clone(), Arc::downgrade(&open_log));
        open_log
    }

    /// Makes all followers read: the state of the file is unknown.
    pub(crate) fn request_reads(&self) {
        self.each(FollowerQueue::request_read);
    }

    /// Ends the streams of all followers: the file was replaced.
    pub(crate) fn end_streams(&self) {
        self.each(FollowerQueue::end);
    }

    fn each(&self, act: impl Fn(&FollowerQueue)) {
        let logs: Vec<_> = lock(&self.0).logs.values().filter_map(Weak::upgrade).collect();
        logs.iter().for_each(|open_log| open_log.each(&act));
    }
}

/// Change of a log by a transaction.
#[derive(Debug)]
pub(crate) struct ChangedLog {
    pub(crate) open_log: Arc<OpenLog>,
    /// New events, if the log has followers and only events were added; and the bounds after them.
    pub(crate) events: Option<Events>,
    pub(crate) bounds: Option<Bounds>,
}

impl ChangedLog {
    /// Notifies the followers of the log.
    pub(crate) fn notify_followers(&self) {
        self.open_log.each(|queue| match (&self.bounds, &self.events) {
            (Some(bounds), Some(events)) => queue.push(events, bounds),
            _ => queue.request_read(),
        });
    }
}

/// Events that a transaction has stored, for the followers of the log.
pub(crate) type Events = Vec<StoredEvent>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
