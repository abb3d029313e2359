use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_channel::{Receiver, Sender};
use futures_channel::oneshot;
use sse_core::store::{LogName, StoreError};

use crate::database::Database;
use crate::failure::Failure;
use crate::transaction::Transaction;
use crate::worker::{AT_A_TIME, Outcome, Reading, Shared, Work, read, write};

/// Reading goes on while another thread reads something that is not in memory.
const READERS: usize = 2;

/// A file that this process has open, and the way to its threads. They end with it.
pub(crate) struct File {
    shared: Arc<Shared>,
    writes: Sender<Box<dyn Work>>,
    reads: Sender<Reading>,
}

impl File {
    /// Writes, together with all that is to be written at this time. The answer comes once that is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let task = Task { work: Some(work), done: None, answer };
        self.writes.send(Box::new(task)).await.map_err(|_| ended())?;
        let lost =
            |_| Err(StoreError::outcome_unknown("the thread that writes the file has ended"));
        answered.await.unwrap_or_else(lost)
    }

    /// Reads, in another thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let reading: Reading = Box::new(move |database| {
            if !answer.is_canceled() {
                drop(answer.send(work(database)));
            }
        });
        self.reads.send(reading).await.map_err(|_| ended())?;
        let answer = answered.await.map_err(|_| ended())?;
        if answer.is_err() {
            // The writer sees to it that the file is opened anew where it must be. It has work enough where this does not fit in.
            drop(self.writes.try_send(Box::new(Look)));
        }
        answer.map_err(Failure::into_store_error)
    }

    pub(crate) async fn compact(&self) -> Result<bool, StoreError> {
        self.read(Database::compact).await
    }

    /// What says that a log has changed. It ends with the file.
    pub(crate) fn changes(&self, log: LogName) -> Receiver<()> {
        let (told, changes) = async_channel::bounded(1);
        let mut followers = self.shared.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|(_, told)| !told.is_closed());
        followers.push((log, told));
        changes
    }
}

pub(crate) fn ended() -> StoreError {
    StoreError::failed("the threads of the file have ended")
}

/// Something to write, what came of it, and who waits.
struct Task<F, T> {
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send,
    T: Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_canceled()
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        let Some(work) = self.work.take() else { return Ok(()) };
        self.done = Some(match work(transaction) {
            Err(error @ Failure::Engine(_)) => return Err(error),
            done => done.map_err(Failure::into_store_error),
        });
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: &Outcome) {
        let answer = match (outcome, self.done) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return,
        };
        // Whoever asked may have left.
        drop(self.answer.send(answer));
    }
}

/// A look at whether the file can be written.
struct Look;

impl Work for Look {
    fn is_wanted(&self) -> bool {
        true
    }

    fn run(&mut self, _: &mut Transaction<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn settle(self: Box<Self>, _: &Outcome) {}
}

/// Starts the threads of a file.
pub(crate) fn start(database: Database) -> std::io::Result<(Arc<File>, JoinHandle<()>)> {
    let shared = Arc::new(Shared { database, followers: Mutex::default() });
    let (writes, to_write) = async_channel::bounded(AT_A_TIME);
    let (reads, to_read) = async_channel::bounded(AT_A_TIME);
    for _ in 0..READERS {
        let (to_read, shared) = (to_read.clone(), Arc::clone(&shared));
        thread::Builder::new()
            .name("reads events".into())
            .spawn(move || read(&to_read, &shared))?;
    }
    let writer = {
        let shared = Arc::clone(&shared);
        thread::Builder::new()
            .name("writes events".into())
            .spawn(move || write(&to_write, &shared))?
    };
    Ok((Arc::new(File { shared, writes, reads }), writer))
}
