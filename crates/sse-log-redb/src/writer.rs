//! The thread that writes a file: all that waits is one transaction, and one wait for the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::commit::{Gather, commit, sort_out};
use crate::database::Database;
use crate::failure::Failure;
use crate::known::KnownLogs;
use crate::queue::{Next, Queue};
use crate::tables::FILE;
use crate::transaction::Changed;
use crate::work::{Job, Outcome, settle};

/// How often it looks whether the file is still there while nothing is written, and how long nothing is written before the file is made ready to be
/// opened fast.
const QUIET: Duration = Duration::from_secs(1);
/// How long nothing is written after the disk has failed, at least and at most: opening the file again may mean to read it whole.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What the threads of a file share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) logs: KnownLogs,
    pub(crate) queue: Queue,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    trouble: Option<Trouble>,
    /// How many requests came at the same time lately, and how long their transaction took.
    lately: (usize, Duration),
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
        Self { shared, trouble: None, lately: (1, Duration::ZERO), changed: None, is_dirty: true }
    }

    /// Writes until nothing comes any more, and closes the file.
    pub(crate) fn run(mut self) {
        self.shared.database.beside().fill();
        loop {
            match self.shared.queue.next(QUIET) {
                Next::Batch(batch) => self.turn(batch),
                Next::Idle => self.rest(),
                Next::Closed => break,
            }
        }
        if self.shared.database.replaced().is_none() {
            self.make_ready();
        }
        self.shared.database.close();
        self.shared.logs.end_streams();
    }

    fn turn(&mut self, mut works: Vec<Job>) {
        let begun = Instant::now();
        sort_out(&mut works, 0);
        let end = begun + self.lately.1 / 4;
        let mut outcome = self.store(&mut works, Gather { count: self.lately.0, end });
        let is_full = self.trouble.as_ref().is_some_and(|trouble| trouble.is_full);
        if matches!(outcome, Outcome::NotStored(_)) && is_full {
            let (room, others) = works.into_iter().partition(|work| work.makes_room());
            works = room;
            settle(others, &outcome);
            outcome = self.make_room(&mut works);
        }
        let count = works.len();
        settle(works, &outcome);
        if let Some(changed) = self.changed.take() {
            changed.logs.iter().for_each(|log| log.known.give(log));
        }
        // Those who were answered, and those who came meanwhile: as many may come again.
        self.lately = (count + self.shared.queue.len(), begun.elapsed());
    }

    /// Nothing has come for a while.
    fn rest(&mut self) {
        let shared = Arc::clone(&self.shared);
        if shared.database.is_open() {
            if let Some(reason) = shared.database.replaced() {
                self.leave(&reason);
            } else if self.is_dirty {
                self.make_ready();
            }
        } else if self.paused().is_none() {
            drop(self.recover(None));
        }
        if shared.database.is_open() && !shared.database.beside().is_whole() {
            shared.database.beside().fill();
        }
    }

    fn store(&mut self, works: &mut Vec<Job>, gather: Gather) -> Outcome {
        if works.is_empty() {
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
            self.leave(&reason);
            return Outcome::NotStored(reason);
        }
        let (mut number, time) = (None, shared.database.time());
        let stored = shared
            .database
            .with(|database| commit(database, works, (&shared.queue, gather), time, &mut number));
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
            shared.database.beside().release();
        }
        let recovered = self.recover(Some(&failure));
        // What is appended next is not to use it up.
        shared.database.beside().fill();
        match (recovered, number) {
            (_, None) => Outcome::NotStored(reason),
            (Ok(transactions), Some(number)) if transactions < number => Outcome::NotStored(reason),
            (Ok(_), Some(_)) => Outcome::Unknown(reason),
            (Err(later), Some(_)) => Outcome::Unknown(format!("{reason}; then: {later}")),
        }
    }

    /// Writes what drops events, on a disk that is full: with what was in reserve, which is taken back afterwards.
    fn make_room(&mut self, works: &mut Vec<Job>) -> Outcome {
        if works.is_empty() {
            return Outcome::Stored;
        }
        let shared = Arc::clone(&self.shared);
        shared.database.beside().release();
        self.trouble = None;
        // With what is in reserve: `store` takes it back when the disk has no room for this either.
        let outcome = self.store(works, Gather { count: 0, end: Instant::now() });
        if matches!(outcome, Outcome::Stored)
            && let Err(failure) = shared.database.give_back()
        {
            tracing::debug!(error = %failure, "the file of event logs could not be made smaller");
            drop(self.recover(Some(&failure)));
        }
        shared.database.beside().fill();
        outcome
    }

    /// Why nothing is written at the moment.
    fn paused(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().filter(|trouble| Instant::now() < trouble.until);
        trouble.map(|trouble| trouble.reason.clone())
    }

    /// The file is another one, or gone: nothing is written to the one that was open.
    fn leave(&mut self, reason: &str) {
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
            Ok(adopted) if adopted.is_other => self.shared.logs.end_streams(),
            _ => self.shared.logs.have_them_read(),
        }
        let reason = because.or(reopened.as_ref().err());
        self.trouble = reason.map(|failure| Trouble {
            reason: failure.to_string(),
            until: Instant::now() + pause,
            is_full: failure.is_full(),
        });
        reopened.map(|adopted| adopted.mark.transactions).map_err(|failure| failure.to_string())
    }

    /// Has redb write what it would read the whole file for, if this process ended now; and the time.
    fn make_ready(&mut self) {
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
