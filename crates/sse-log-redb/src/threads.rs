use std::path::Path;
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
use crate::error::{Failure, threads_ended};
use crate::open_logs::OpenLogs;
use crate::timer::TimerThread;
use crate::transaction::Transaction;
use crate::write_queue::WriteQueue;
use crate::write_request::{Outcome, QueuedRequest, Request, RequestOptions, WriteRequest};
use crate::writer::{Shared, Writer};

/// Number of threads that read. Reads continue while another thread waits for the disk.
const READERS: usize = 2;
/// Number of threads that run followers. A follower that copies much delays no other.
const FOLLOWERS: usize = 2;
/// Largest number of waiting reads. More reads wait outside the queue.
const READ_QUEUE: usize = 1024;

/// A read to run in a reading thread.
type ReadRequest = Box<dyn FnOnce(&Database) + Send>;

/// Threads of an open file, and the queues to them. They end when this is dropped.
pub(crate) struct FileThreads {
    shared: Arc<Shared>,
    reads: Sender<ReadRequest>,
    timer: Arc<TimerThread>,
    followers: ThreadPool,
}

impl FileThreads {
    /// Runs this in the next write transaction, together with all other waiting requests. Returns its result after the transaction is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        options: RequestOptions,
        work: impl Fn(&mut Transaction<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let request = WriteRequest::new(options, work);
        self.shared.queue.push(QueuedRequest::new(request.clone())).await;
        request.completed().await
    }

    /// Runs this in a reading thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let reading: ReadRequest = Box::new(move |database| {
            if !sender.is_canceled() {
                drop(sender.send(work(database)));
            }
        });
        self.reads.send(reading).await.map_err(|_| threads_ended())?;
        let result = receiver.await.map_err(|_| threads_ended())?;
        if result.is_err() {
            // The writer opens the file again if needed. If the queue is full, the writer notices the failure with its next requests.
            drop(self.shared.queue.try_push(QueuedRequest::new(Arc::new(CheckFile))));
        }
        result.map_err(Failure::into_store_error)
    }

    /// Makes the writer check that the open file is still the file at its path.
    pub(crate) async fn check_replaced(&self) {
        if self.shared.database.replaced().is_some() {
            // The writer then opens the file at its path, or fails the requests that follow.
            drop(self.write(RequestOptions::SMALL, |_| Ok(())).await);
        }
    }

    pub(crate) async fn compact(&self) -> Result<bool, StoreError> {
        self.read(Database::compact).await
    }

    pub(crate) fn path(&self) -> &Path {
        self.shared.database.path()
    }

    pub(crate) fn logs(&self) -> &OpenLogs {
        &self.shared.logs
    }

    /// Returns the clock of its logs.
    pub(crate) fn timer(&self) -> Timer {
        let timer = Arc::clone(&self.timer);
        Timer::new(Instant::now, move |duration| timer.sleep(duration))
    }

    /// Runs the follower of a log.
    pub(crate) fn follow(&self, follower: impl Future<Output = ()> + Send + 'static) {
        self.followers.spawn_ok(follower);
    }
}

impl Drop for FileThreads {
    fn drop(&mut self) {
        self.shared.queue.close();
        self.timer.close();
    }
}

/// Request that checks that the file can be written. No caller waits for it.
struct CheckFile;

impl Request for CheckFile {
    fn size(&self) -> usize {
        0
    }

    fn makes_room(&self) -> bool {
        false
    }

    fn has_caller(&self) -> bool {
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

/// Starts the threads of a file. Their number does not depend on the number of its logs.
pub(crate) fn start(database: Database) -> std::io::Result<(Arc<FileThreads>, JoinHandle<()>)> {
    let shared =
        Arc::new(Shared { database, logs: OpenLogs::default(), queue: WriteQueue::default() });
    let (reads, to_read) = async_channel::bounded(READ_QUEUE);
    for _ in 0..READERS {
        let (to_read, shared) = (to_read.clone(), Arc::clone(&shared));
        spawn("reads events", move || read(&to_read, &shared.database))?;
    }
    let followers =
        ThreadPoolBuilder::new().pool_size(FOLLOWERS).name_prefix("follows events ").create()?;
    let timer = Arc::new(TimerThread::new());
    spawn("times events", {
        let timer = Arc::clone(&timer);
        move || timer.run()
    })?;
    let file = FileThreads { shared: Arc::clone(&shared), reads, timer, followers };
    let writer = spawn("writes events", move || Writer::new(shared).run())?;
    Ok((Arc::new(file), writer))
}

fn read(work: &Receiver<ReadRequest>, database: &Database) {
    while let Ok(reading) = work.recv_blocking() {
        reading(database);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}
