//! What the threads of a file do.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use sse_core::store::LogName;

use crate::database::Database;
use crate::failure::Failure;
use crate::transaction::{Changed, Transaction};

/// How many requests are one transaction at the most.
pub(crate) const AT_A_TIME: usize = 1024;
/// How long nothing is written after the disk has failed, at least and at most: opening the file anew may mean to read it whole.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is to be written, and who waits for it.
pub(crate) trait Work: Send {
    /// Whether anybody still waits.
    fn is_wanted(&self) -> bool;
    /// Writes into the transaction. An error is that of the whole transaction.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    fn settle(self: Box<Self>, outcome: &Outcome);
}

/// What has become of a transaction.
pub(crate) enum Outcome {
    Stored,
    NotStored(String),
    Unknown(String),
}

/// What is to be read.
pub(crate) type Reading = Box<dyn FnOnce(&Database) + Send>;

/// What the threads of a file share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    /// Those who follow a log. They are told that there is something new, at most once until they look.
    pub(crate) followers: Mutex<Vec<(LogName, Sender<()>)>>,
}

impl Shared {
    fn tell(&self, changed: &[LogName]) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|(_, told)| !told.is_closed());
        for (log, told) in &*followers {
            if changed.contains(log) {
                // Where it is full the follower is about to look.
                _ = told.try_send(());
            }
        }
    }
}

/// The readers of a file.
pub(crate) fn read(work: &Receiver<Reading>, shared: &Shared) {
    while let Ok(reading) = work.recv_blocking() {
        reading(&shared.database);
    }
}

/// The writer of a file: all that waits is one transaction, and one wait for the disk. It closes the file at the end.
pub(crate) fn write(work: &Receiver<Box<dyn Work>>, shared: &Shared) {
    let mut trouble = None;
    while let Ok(first) = work.recv_blocking() {
        let mut works = vec![first];
        while works.len() < AT_A_TIME
            && let Ok(next) = work.try_recv()
        {
            works.push(next);
        }
        works.retain(|work| work.is_wanted());
        let outcome = store(shared, &mut works, &mut trouble);
        works.into_iter().for_each(|work| work.settle(&outcome));
    }
    shared.database.close();
    shared.followers.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// The disk has failed: why, and until when it is left alone.
struct Trouble {
    reason: String,
    until: Instant,
}

fn store(shared: &Shared, works: &mut [Box<dyn Work>], trouble: &mut Option<Trouble>) -> Outcome {
    let left_alone = trouble.as_ref().filter(|trouble| Instant::now() < trouble.until);
    if let Some(trouble) = left_alone {
        return Outcome::NotStored(trouble.reason.clone());
    }
    if !shared.database.is_open()
        && let Err(failure) = recover(shared, trouble, None)
    {
        return Outcome::NotStored(failure);
    }
    let mut number = None;
    let stored = shared.database.with(|database| commit(database, works, &mut number));
    let failure = match stored {
        Ok(changed) => {
            shared.tell(&changed.logs);
            *trouble = None;
            return Outcome::Stored;
        }
        Err(failure) => failure.to_string(),
    };
    tracing::warn!(error = failure, "an event log could not be written; its file is opened anew");
    match (recover(shared, trouble, Some(&failure)), number) {
        (_, None) => Outcome::NotStored(failure),
        (Ok(transactions), Some(number)) if transactions < number => Outcome::NotStored(failure),
        (Ok(_), Some(_)) => Outcome::Unknown(failure),
        (Err(later), Some(_)) => Outcome::Unknown(format!("{failure}; then: {later}")),
    }
}

/// `number` is that of the transaction, once it is about to be committed.
fn commit(
    database: &redb::Database,
    works: &mut [Box<dyn Work>],
    number: &mut Option<u64>,
) -> Result<Changed, Failure> {
    let txn = database.begin_write()?;
    let mut transaction = Transaction::new(&txn);
    for work in works {
        work.run(&mut transaction)?;
    }
    let (changed, count) = transaction.finish()?;
    if !changed.anything {
        txn.abort()?;
        return Ok(changed);
    }
    *number = Some(count);
    txn.commit()?;
    Ok(changed)
}

/// Opens the file anew, and leaves it alone for a while. Answers how many transactions were stored in it.
fn recover(
    shared: &Shared,
    trouble: &mut Option<Trouble>,
    because: Option<&str>,
) -> Result<u64, String> {
    let begun = Instant::now();
    let reopened = shared.database.reopen().map_err(|failure| failure.to_string());
    let pause = (begun.elapsed() * 2).clamp(PAUSE.0, PAUSE.1);
    let reason = because.or(reopened.as_ref().err().map(String::as_str));
    *trouble =
        reason.map(|reason| Trouble { reason: reason.to_owned(), until: Instant::now() + pause });
    reopened
}
