use std::sync::Arc;
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use async_channel::{Receiver, Sender};
use futures_channel::oneshot;
use futures_executor::{ThreadPool, ThreadPoolBuilder};
use sse_core::Timer;
use sse_core::store::StoreError;

use crate::database::Database;
use crate::failure::Failure;
use crate::known::KnownLogs;
use crate::queue::Queue;
use crate::transaction::Transaction;
use crate::waits::Waits;
use crate::work::{Job, Manner, Outcome, Task, Work};
use crate::writer::{Shared, Writer};

/// Reading goes on while another thread reads something that is not in memory.
const READERS: usize = 2;
/// A follower that copies much holds up no other.
const FOLLOWERS: usize = 2;
/// How many reads wait at the most. More wait for their turn outside.
const READS: usize = 1024;

/// What is to be read.
type Reading = Box<dyn FnOnce(&Database) + Send>;

/// A file that this process has open, and the way to its threads. They end with it.
pub(crate) struct File {
    shared: Arc<Shared>,
    reads: Sender<Reading>,
    waits: Arc<Waits>,
    followers: ThreadPool,
}

impl File {
    /// Writes, together with all that is to be written at this time. The answer comes once that is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        manner: Manner,
        work: impl Fn(&mut Transaction<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let task = Task::new(manner, work);
        self.shared.queue.push(Job::new(task.clone())).await;
        task.answered().await
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
            // The writer sees to it that the file is opened again if it must be. It has work enough if this does not fit in.
            drop(self.shared.queue.try_push(Job::new(Arc::new(Look))));
        }
        answer.map_err(Failure::into_store_error)
    }

    /// Has the writer look whether the file is still the one of its name.
    pub(crate) async fn look(&self) {
        if self.shared.database.replaced().is_some() {
            // It says so; and then the file of this name is open, or what comes next is an error.
            drop(self.write(Manner::SMALL, |_| Ok(())).await);
        }
    }

    pub(crate) async fn compact(&self) -> Result<bool, StoreError> {
        self.read(Database::compact).await
    }

    pub(crate) fn logs(&self) -> &KnownLogs {
        &self.shared.logs
    }

    /// The clock of its logs.
    pub(crate) fn timer(&self) -> Timer {
        let waits = Arc::clone(&self.waits);
        Timer::new(Instant::now, move |duration| waits.sleep(duration))
    }

    /// Runs the follower of a log.
    pub(crate) fn follow(&self, follower: impl Future<Output = ()> + Send + 'static) {
        self.followers.spawn_ok(follower);
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.shared.queue.close();
        self.waits.close();
    }
}

/// A look at whether the file can be written. Nobody waits for it.
struct Look;

impl Work for Look {
    fn size(&self) -> usize {
        0
    }

    fn makes_room(&self) -> bool {
        false
    }

    fn is_wanted(&self) -> bool {
        true
    }

    fn is_late(&self, _: Instant) -> bool {
        false
    }

    fn run(&self, _: &mut Transaction<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn settle(&self, _: &Outcome) -> Option<Waker> {
        None
    }
}

pub(crate) fn ended() -> StoreError {
    StoreError::failed("the threads of the file have ended")
}

/// Starts the threads of a file: so many, whatever the number of its logs.
pub(crate) fn start(database: Database) -> std::io::Result<(Arc<File>, JoinHandle<()>)> {
    let shared = Arc::new(Shared { database, logs: KnownLogs::default(), queue: Queue::default() });
    let (reads, to_read) = async_channel::bounded(READS);
    for _ in 0..READERS {
        let (to_read, shared) = (to_read.clone(), Arc::clone(&shared));
        spawn("reads events", move || read(&to_read, &shared.database))?;
    }
    let followers =
        ThreadPoolBuilder::new().pool_size(FOLLOWERS).name_prefix("follows events ").create()?;
    let waits = Arc::new(Waits::new());
    spawn("times events", {
        let waits = Arc::clone(&waits);
        move || waits.run()
    })?;
    let file = File { shared: Arc::clone(&shared), reads, waits, followers };
    let writer = spawn("writes events", move || Writer::new(shared).run())?;
    Ok((Arc::new(file), writer))
}

fn read(work: &Receiver<Reading>, database: &Database) {
    while let Ok(reading) = work.recv_blocking() {
        reading(database);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}
