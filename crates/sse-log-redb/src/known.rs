//! The logs of a file that are in use in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sse_core::store::{LogName, StoredEvent};

use crate::given::Slot;
use crate::name::TableNames;
use crate::transaction::ChangedLog;

/// What this process remembers of a log, for all its handles.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: LogName,
    pub(crate) tables: TableNames,
    followers: Mutex<Vec<Weak<Slot>>>,
}

impl Known {
    pub(crate) fn follow(&self, slot: &Arc<Slot>) {
        let mut followers = lock(&self.followers);
        followers.retain(|slot| slot.strong_count() > 0);
        followers.push(Arc::downgrade(slot));
    }

    pub(crate) fn is_followed(&self) -> bool {
        lock(&self.followers).iter().any(|slot| slot.strong_count() > 0)
    }

    /// Gives followers what a transaction has changed.
    pub(crate) fn give(&self, changed: &ChangedLog) {
        self.each(|slot| match (&changed.bounds, &changed.events) {
            (Some(bounds), Some(events)) => slot.give(events, bounds),
            _ => slot.have_it_read(),
        });
    }

    fn each(&self, mut act: impl FnMut(&Slot)) {
        let followers = lock(&self.followers).clone();
        followers.iter().filter_map(Weak::upgrade).for_each(|slot| act(&slot));
    }
}

/// By their names. A log that is in use no more is forgotten when there are many.
#[derive(Debug, Default)]
pub(crate) struct KnownLogs(Mutex<Logs>);

#[derive(Debug, Default)]
struct Logs {
    logs: BTreeMap<LogName, Weak<Known>>,
    /// So many were in use when those that were not were forgotten last.
    in_use: usize,
}

impl KnownLogs {
    pub(crate) fn get(&self, name: &LogName) -> Arc<Known> {
        let mut logs = lock(&self.0);
        if let Some(known) = logs.logs.get(name).and_then(Weak::upgrade) {
            return known;
        }
        if logs.logs.len() > 2 * logs.in_use + 100 {
            logs.logs.retain(|_, known| known.strong_count() > 0);
            logs.in_use = logs.logs.len();
        }
        let known = Arc::new(Known {
            name: name.clone(),
            tables: TableNames::of(name),
            followers: Mutex::default(),
        });
        logs.logs.insert(name.clone(), Arc::downgrade(&known));
        known
    }

    /// Has all followers read, since it is not known what the file has.
    pub(crate) fn have_them_read(&self) {
        self.each(Slot::have_it_read);
    }

    /// Ends the streams of all followers, since the file is another one.
    pub(crate) fn end_streams(&self) {
        self.each(Slot::end);
    }

    fn each(&self, act: impl Fn(&Slot)) {
        let logs: Vec<_> = lock(&self.0).logs.values().filter_map(Weak::upgrade).collect();
        logs.iter().for_each(|known| known.each(&act));
    }
}

/// The events that a transaction has stored, as its followers get them.
pub(crate) type Events = Vec<StoredEvent>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
