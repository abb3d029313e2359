use std::error::Error;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::chain::Chain;
use crate::log::handle::{EventLog, Shared};
use crate::{Error as LogError, Observer};

/// A task that a store may fail at for a while. The follower logs once when that begins, and once when it ends, with the name of the log.
pub(crate) struct Trouble {
    log: Weak<Shared>,
    name: String,
    task: &'static str,
    has_begun: AtomicBool,
}

impl Trouble {
    pub(crate) fn new(log: Weak<Shared>, name: &str, task: &'static str) -> Self {
        Self { log, name: name.to_owned(), task, has_begun: AtomicBool::new(false) }
    }

    pub(crate) fn begins(&self, error: &(dyn Error + 'static)) {
        if !self.has_begun.swap(true, Ordering::Relaxed) {
            let log = self.name.as_str();
            tracing::warn!(
                log,
                error = %Chain(error),
                "{} failed; it is tried again until it succeeds",
                self.task
            );
            self.tell(|observer| observer.store_lost(self.task, error));
        }
    }

    pub(crate) fn is_over(&self) {
        if self.has_begun.swap(false, Ordering::Relaxed) {
            tracing::info!(log = self.name.as_str(), "{} succeeds again", self.task);
            self.tell(|observer| observer.store_back(self.task));
        }
    }

    fn tell(&self, call: impl FnOnce(&dyn Observer)) {
        if let Some(log) = self.log.upgrade().map(EventLog) {
            log.tell(call);
        }
    }
}

/// The task of an append, which the log does not try again: its caller gets the error.
pub(crate) const STORING: &str = "storing events";

// The tasks of a follower, which tries each again.
pub(crate) const FOLLOWING: &str = "following the store of an event log";
pub(crate) const READING: &str = "reading events behind the tail of an event log";
pub(crate) const RETAINING: &str = "retention in the store of an event log";

impl EventLog {
    /// Tells the observer how long an append to the store took that began then. Logs once when appends begin to fail because of the store, and
    /// once when one succeeds again.
    pub(crate) fn note_append<T>(&self, stored: &Result<T, LogError>, begun: Instant) {
        self.tell(|observer| {
            observer.append_took(self.0.timer.now().saturating_duration_since(begun));
        });
        let (Some(store), failing) = (&self.0.store, &self.0.appends_fail) else { return };
        let log = store.name();
        match stored {
            Err(error) if error.is_store() && !failing.swap(true, Ordering::Relaxed) => {
                let error: &(dyn Error + 'static) = error;
                tracing::warn!(log, ?error, "{STORING} failed; each caller gets the error");
                self.tell(|observer| observer.store_lost(STORING, error));
            }
            Ok(_) if failing.load(Ordering::Relaxed) && failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(log, "{STORING} succeeds again");
                self.tell(|observer| observer.store_back(STORING));
            }
            _ => {}
        }
    }
}
