//! The thread that writes a file: all that waits is one transaction, and one wait for the disk.

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

/// How often it looks whether the file is still there while nothing is written, and how long nothing is written before the file is made ready to be
/// opened fast.
const QUIET: Duration = Duration::from_secs(1);
/// How long nothing is written after the disk has failed, at least and at most: opening the file again may mean to read it whole.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What the threads of a file share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) logs: OpenLogs,
    pub(crate) queue: WriteQueue,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    trouble: Option<Trouble>,
    /// How many requests came at the same time lately, and how long their transaction took.
    last_batch: (usize, Duration),
    /// What the last transaction has changed, of which the followers are still to be told: whoever appended has their answer first.
    changed: Option<Changed>,
    /// Whether anything was written since the file was made ready to be opened fast.
    is_dirty: bool,
}

/// The disk has failed: why, and until when it is left alone.
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
            last_batch: (1, Duration::ZERO),
            changed: None,
            is_dirty: true,
        }
    }

    /// Writes until nothing comes any more, and closes the file.
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
            let (room, others) = requests.into_iter().partition(|work| work.makes_room());
            requests = room;
            settle(others, &outcome);
            outcome = self.make_room(&mut requests);
        }
        let count = requests.len();
        settle(requests, &outcome);
        if let Some(changed) = self.changed.take() {
            changed.logs.iter().for_each(|log| log.notify_followers());
        }
        // Those who were answered, and those who came meanwhile: as many may come again.
        self.last_batch = (count + self.shared.queue.len(), begun.elapsed());
    }

    /// Nothing has come for a while.
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

    fn store(&mut self, requests: &mut Vec<QueuedRequest>, gather: BatchTarget) -> Outcome {
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
            commit(database, requests, (&shared.queue, gather), time, &mut number)
        });
        let failure = match stored {
            Ok(changed) => {
                if changed.anything {
                    shared.database.set_mark(changed.number);
                    self.is_dirty = true;
                }
                self.changed = Some(changed);
                self.trouble = None;
                return Outcome::Stored;
            }
            Err(failure) => failure,
        };
        let reason = failure.to_string();
        tracing::warn!(
            error = reason,
            "an event log could not be written; its file is opened anew"
        );
        if failure.is_full() {
            // Opening may have to write, too.
            shared.database.reserve().release();
        }
        let recovered = self.recover(Some(&failure));
        // What is appended next is not to use it up.
        shared.database.reserve().fill();
        match (recovered, number) {
            (_, None) => Outcome::NotStored(reason),
            (Ok(transactions), Some(number)) if transactions < number => Outcome::NotStored(reason),
            (Ok(_), Some(_)) => Outcome::Unknown(reason),
            (Err(later), Some(_)) => Outcome::Unknown(format!("{reason}; then: {later}")),
        }
    }

    /// Writes what drops events, on a disk that is full: with what was in reserve, which is taken back afterwards.
    fn make_room(&mut self, requests: &mut Vec<QueuedRequest>) -> Outcome {
        if requests.is_empty() {
            return Outcome::Stored;
        }
        let shared = Arc::clone(&self.shared);
        shared.database.reserve().release();
        self.trouble = None;
        // With what is in reserve: `store` takes it back when the disk has no room for this either.
        let outcome = self.store(requests, BatchTarget { count: 0, end: Instant::now() });
        if matches!(outcome, Outcome::Stored)
            && let Err(failure) = shared.database.shrink_if_sparse()
        {
            tracing::debug!(error = %failure, "the file of event logs could not be made smaller");
            drop(self.recover(Some(&failure)));
        }
        shared.database.reserve().fill();
        outcome
    }

    /// Why nothing is written at the moment.
    fn paused(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().filter(|trouble| Instant::now() < trouble.until);
        trouble.map(|trouble| trouble.reason.clone())
    }

    /// The file is another one, or gone: nothing is written to the one that was open.
    fn leave_replaced_file(&mut self, reason: &str) {
        tracing::warn!(
            error = reason,
            "an event log could not be written; its file is opened anew"
        );
        if self.recover(Some(&Failure::Refused(reason.to_owned()))).is_ok() {
            // Nothing is wrong with the disk.
            self.trouble = None;
        }
        self.shared.logs.end_streams();
    }

    /// Opens the file again, and leaves it alone for a while. Returns how many transactions were stored in it.
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

    /// Has redb write what it would read the whole file for, if this process ended now; and the time.
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
            tracing::debug!(error = %failure, "the file of event logs could not be made ready to be opened fast");
            drop(self.recover(Some(&failure)));
        }
    }
}
