//! The logs of a file that are in use in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sse_core::store::{Bounds, LogName, StoredEvent};

use crate::follower_queue::FollowerQueue;
use crate::names::TableNames;

/// What this process remembers of a log, for all its handles.
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

/// By their names. A log that is in use no more is forgotten when there are many.
#[derive(Debug, Default)]
pub(crate) struct OpenLogs(Mutex<Logs>);

#[derive(Debug, Default)]
struct Logs {
    logs: BTreeMap<LogName, Weak<OpenLog>>,
    /// So many were in use when those that were not were forgotten last.
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

    /// Has all followers read, since it is not known what the file has.
    pub(crate) fn request_reads(&self) {
        self.each(FollowerQueue::request_read);
    }

    /// Ends the streams of all followers, since the file is another one.
    pub(crate) fn end_streams(&self) {
        self.each(FollowerQueue::end);
    }

    fn each(&self, act: impl Fn(&FollowerQueue)) {
        let logs: Vec<_> = lock(&self.0).logs.values().filter_map(Weak::upgrade).collect();
        logs.iter().for_each(|open_log| open_log.each(&act));
    }
}

/// What a transaction has changed in a log.
#[derive(Debug)]
pub(crate) struct ChangedLog {
    pub(crate) open_log: Arc<OpenLog>,
    /// If it is followed, and nothing but events has come: these, and the bounds since.
    pub(crate) events: Option<Events>,
    pub(crate) bounds: Option<Bounds>,
}

impl ChangedLog {
    /// Passes the change to the followers of the log.
    pub(crate) fn notify_followers(&self) {
        self.open_log.each(|queue| match (&self.bounds, &self.events) {
            (Some(bounds), Some(events)) => queue.push(events, bounds),
            _ => queue.request_read(),
        });
    }
}

/// The events that a transaction has stored, as its followers get them.
pub(crate) type Events = Vec<StoredEvent>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
