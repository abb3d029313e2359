//! The thread that writes a file. It writes all waiting requests in one transaction, with one wait for the disk.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::commit::{BatchTarget, commit, remove_expired};
use crate::database::Database;
use crate::error::Failure;
use crate::open_logs::OpenLogs;
use crate::tables::FILE;
use crate::transaction::Changed;
use crate::write_queue::{Next, WriteQueue};
use crate::write_request::{Outcome, QueuedRequest, settle};

/// Time without requests after which the writer prepares the file for a quick open. In every such time it also checks that the file is still there.
const QUIET: Duration = Duration::from_secs(1);
/// Shortest and longest pause after a failure of the disk, during which nothing is written: opening the file again may read the whole file.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// State that the threads of a file share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) logs: OpenLogs,
    pub(crate) queue: WriteQueue,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    trouble: Option<Trouble>,
    /// True since a write has failed, until one succeeds.
    is_failing: bool,
    /// Number of requests that came together lately, and the duration of their transaction.
    last_batch: (usize, Duration),
    /// Changes of the last transaction, before the followers are notified. Callers get their results first.
    changed: Option<Changed>,
    /// True if anything was written since the file was prepared for a quick open.
    is_dirty: bool,
}

/// Failure of the disk: its reason, and the end of the pause.
struct Trouble {
    reason: String,
    until: Instant,
    is_full: bool,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            trouble: None,
            is_failing: false,
            last_batch: (1, Duration::ZERO),
            changed: None,
            is_dirty: true,
        }
    }

    /// Writes until the queue is closed, and then closes the file.
    pub(crate) fn run(mut self) {
        self.shared.database.reserve().fill();
        loop {
            match self.shared.queue.next(QUIET) {
                Next::Batch(batch) => self.write_batch(batch),
                Next::Idle => self.on_idle(),
                Next::Closed => break,
            }
        }
        if self.shared.database.replaced().is_none() {
            self.prepare_quick_open();
        }
        self.shared.database.close();
        self.shared.logs.end_streams();
    }

    fn write_batch(&mut self, mut requests: Vec<QueuedRequest>) {
        let begun = Instant::now();
        remove_expired(&mut requests, 0);
        let end = begun + self.last_batch.1 / 4;
        let mut outcome = self.store(&mut requests, BatchTarget { count: self.last_batch.0, end });
        let is_full = self.trouble.as_ref().is_some_and(|trouble| trouble.is_full);
        if matches!(outcome, Outcome::NotStored(_)) && is_full {
            let (room, others) = requests.into_iter().partition(|request| request.makes_room());
            requests = room;
            settle(others, &outcome);
            outcome = self.make_room(&mut requests);
        }
        let count = requests.len();
        settle(requests, &outcome);
        if let Some(changed) = self.changed.take() {
            changed.logs.iter().for_each(|log| log.notify_followers());
        }
        // The callers that got results may come again, with those that came meanwhile.
        self.last_batch = (count + self.shared.queue.len(), begun.elapsed());
    }

    /// Checks and prepares the file after a time without requests.
    fn on_idle(&mut self) {
        let shared = Arc::clone(&self.shared);
        if shared.database.is_open() {
            if let Some(reason) = shared.database.replaced() {
                self.leave_replaced_file(&reason);
            } else if self.is_dirty {
                self.prepare_quick_open();
            }
        } else if self.paused().is_none() {
            drop(self.recover(None));
        }
        if shared.database.is_open() && !shared.database.reserve().is_whole() {
            shared.database.reserve().fill();
        }
    }

    fn store(&mut self, requests: &mut Vec<QueuedRequest>, target: BatchTarget) -> Outcome {
        if requests.is_empty() {
            return Outcome::Stored;
        }
        let shared = Arc::clone(&self.shared);
        if let Some(reason) = self.paused() {
            return Outcome::NotStored(reason);
        }
        if !shared.database.is_open()
            && let Err(failure) = self.recover(None)
        {
            return Outcome::NotStored(failure);
        }
        if let Some(reason) = shared.database.replaced() {
            self.leave_replaced_file(&reason);
            return Outcome::NotStored(reason);
        }
        let (mut number, time) = (None, shared.database.time());
        let stored = shared.database.with(|database| {
            commit(database, requests, (&shared.queue, target), time, &mut number)
        });
        let failure = match stored {
            Ok(changed) => {
                if changed.anything {
                    shared.database.set_mark(changed.number);
                    self.is_dirty = true;
                }
                self.changed = Some(changed);
                self.trouble = None;
                if mem::take(&mut self.is_failing) {
                    let file = shared.database.path().display();
                    tracing::info!(%file, "writing event logs succeeds again");
                }
                return Outcome::Stored;
            }
            Err(failure) => failure,
        };
        let reason = failure.to_string();
        self.note_failure(&reason);
        if failure.is_full() {
            // Opening the file may need room, too.
            shared.database.reserve().release();
        }
        let recovered = self.recover(Some(&failure));
        // The reserve is filled again, so that the next appends do not use up its room.
        shared.database.reserve().fill();
        match (recovered, number) {
            (_, None) => Outcome::NotStored(reason),
            (Ok(transactions), Some(number)) if transactions < number => Outcome::NotStored(reason),
            (Ok(_), Some(_)) => Outcome::Unknown(reason),
            (Err(later), Some(_)) => Outcome::Unknown(format!("{reason}; then: {later}")),
        }
    }

    /// Writes the requests that drop events on a full disk. It uses the room of the reserve, and fills the reserve afterwards.
    fn make_room(&mut self, requests: &mut Vec<QueuedRequest>) -> Outcome {
        if requests.is_empty() {
            return Outcome::Stored;
        }
        let shared = Arc::clone(&self.shared);
        shared.database.reserve().release();
        self.trouble = None;
        // If the disk has no room for these requests either, `store` fills the reserve again.
        let outcome = self.store(requests, BatchTarget { count: 0, end: Instant::now() });
        if matches!(outcome, Outcome::Stored)
            && let Err(failure) = shared.database.shrink_if_sparse()
        {
            tracing::debug!(error = %failure, "shrinking the file of event logs failed; it is opened again");
            drop(self.recover(Some(&failure)));
        }
        shared.database.reserve().fill();
        outcome
    }

    /// Logs once when writes begin to fail.
    fn note_failure(&mut self, error: &str) {
        if !mem::replace(&mut self.is_failing, true) {
            let file = self.shared.database.path().display();
            tracing::warn!(%file, error, "writing event logs failed; their file is opened again");
        }
    }

    /// Returns the reason why nothing is written at the moment.
    fn paused(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().filter(|trouble| Instant::now() < trouble.until);
        trouble.map(|trouble| trouble.reason.clone())
    }

    /// Opens the file at the path again after it was replaced or removed. Nothing is written to the old file.
    fn leave_replaced_file(&mut self, reason: &str) {
        self.note_failure(reason);
        if self.recover(Some(&Failure::Refused(reason.to_owned()))).is_ok() {
            // The disk is not at fault.
            self.trouble = None;
        }
        self.shared.logs.end_streams();
    }

    /// Opens the file again, and starts a pause. Returns the number of transactions in the file.
    fn recover(&mut self, because: Option<&Failure>) -> Result<u64, String> {
        let begun = Instant::now();
        let reopened = self.shared.database.reopen();
        let pause = (begun.elapsed() * 2).clamp(PAUSE.0, PAUSE.1);
        match &reopened {
            Ok(state) if state.has_new_epochs => self.shared.logs.end_streams(),
            _ => self.shared.logs.request_reads(),
        }
        let reason = because.or(reopened.as_ref().err());
        self.trouble = reason.map(|failure| Trouble {
            reason: failure.to_string(),
            until: Instant::now() + pause,
            is_full: failure.is_full(),
        });
        reopened.map(|state| state.mark.transactions).map_err(|failure| failure.to_string())
    }

    /// Makes redb write the state without which it would read the whole file after a crash; and the time.
    fn prepare_quick_open(&mut self) {
        let (database, now) = (&self.shared.database, self.shared.database.time().now);
        let made = database.with(|database| {
            let mut txn = database.begin_write()?;
            txn.set_quick_repair(true);
            txn.open_table(FILE)?.insert("clock", now)?;
            txn.commit()?;
            Ok(())
        });
        self.is_dirty = false;
        if let Err(failure) = made
            && database.is_open()
        {
            tracing::debug!(error = %failure, "preparing the file of event logs for a quick open failed; it is opened again");
            drop(self.recover(Some(&failure)));
        }
    }
}
