use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use sse_core::store::{Appended, EncodedEvent};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::append::{self, APPEND, check_keys};
use crate::core::LogCore;
use crate::error::{Cause, Failure};

/// Maximum number of appends in a queue. Further appends wait until the queue has room.
const WAITING: usize = 1024;
/// Number of transactions of a queue that write at the same time: while one waits for the disk, the next collects events. A log has two queues.
const TRANSACTIONS: usize = 2;
/// Number of appends that are tried at the same time, each in its own transaction, after their common transaction failed.
const RETRIES_AT_A_TIME: usize = 2;
/// Maximum number of events, and of bytes, in a transaction. A single append may have more.
const BATCH: (usize, usize) = (1000, 1024 * 1024);

/// The events of one append, and the channel for its result.
struct Job {
    events: Vec<EncodedEvent>,
    answer: oneshot::Sender<Result<Appended, Failure>>,
}

/// The queues of a log's appends. Appends with idempotency keys have a queue of their own: they may wait for a transaction, perhaps an
/// application's, that stores an event with the same key now, and appends without keys must not wait with them.
#[derive(Clone)]
pub(crate) struct Writer {
    without_keys: mpsc::Sender<Job>,
    with_idempotency_keys: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the tasks that write. They end when all clones of the writer are dropped.
    pub(crate) fn start(log: &Arc<LogCore>, runtime: &Handle) -> Self {
        let start = || start_queue(Arc::clone(log), runtime);
        Self { without_keys: start(), with_idempotency_keys: start() }
    }

    /// Queues the events and returns once they are stored.
    pub(crate) async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, Failure> {
        check_keys(events)?;
        let (answer, stored) = oneshot::channel();
        let job = Job { events: events.to_vec(), answer };
        let queue = match job.has_idempotency_key() {
            true => &self.with_idempotency_keys,
            false => &self.without_keys,
        };
        queue.send(job).await.map_err(|_| Failure::before_sending(Cause::NoTask))?;
        stored.await.map_err(|_| Failure::after_sending(Cause::NoTask))?
    }
}

/// Starts the task that writes one queue. Appends that arrive while a transaction writes share the next transaction, and wait for the disk once.
fn start_queue(log: Arc<LogCore>, runtime: &Handle) -> mpsc::Sender<Job> {
    let (jobs, mut queue) = mpsc::channel::<Job>(WAITING);
    runtime.spawn(async move {
        let permits = Arc::new(Semaphore::new(TRANSACTIONS));
        let mut first = queue.recv().await;
        while let Some(job) = first.take() {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let mut batch = vec![job];
            let mut size = (batch[0].events.len(), bytes(&batch[0].events));
            while let Ok(job) = queue.try_recv() {
                size = (size.0 + job.events.len(), size.1 + bytes(&job.events));
                if size.0 > BATCH.0 || size.1 > BATCH.1 {
                    first = Some(job);
                    break;
                }
                batch.push(job);
            }
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                write(&log, batch).await;
                log.notify_followers();
                drop(permit);
            });
            if first.is_none() {
                first = queue.recv().await;
            }
        }
    });
    jobs
}

fn bytes(events: &[EncodedEvent]) -> usize {
    events.iter().map(|event| event.block.len()).sum()
}

async fn write(log: &LogCore, mut batch: Vec<Job>) {
    // A caller that dropped its append knows no outcome, and may have dropped it long ago.
    batch.retain(|job| !job.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let answers = match store(log, &batch).await {
        Err(failure) if batch.len() > 1 && concerns_some(&failure, &batch) => {
            return write_each_alone(log, batch).await;
        }
        Err(failure) => vec![Err(failure); batch.len()],
        Ok(answers) => answers.into_iter().map(Ok).collect(),
    };
    for (job, answer) in batch.into_iter().zip(answers) {
        _ = job.answer.send(answer);
    }
}

/// Returns true if a part of the batch caused the failure, so that the rest can be stored without it.
fn concerns_some(failure: &Failure, batch: &[Job]) -> bool {
    // In a finished log, the repetition of an append still gets its first result.
    let concerns_keys = failure.is_blocked() || matches!(failure, Failure::Finished);
    failure.concerns_data() || (concerns_keys && batch.iter().any(Job::has_idempotency_key))
}

async fn write_each_alone(log: &LogCore, batch: Vec<Job>) {
    let write = |job: Job| async move {
        if !job.answer.is_closed() {
            let stored = store(log, std::slice::from_ref(&job)).await;
            let stored = stored.and_then(|mut appended| appended.pop().ok_or(Failure::Finished));
            _ = job.answer.send(stored);
        }
    };
    stream::iter(batch).for_each_concurrent(RETRIES_AT_A_TIME, write).await;
}

impl Job {
    fn has_idempotency_key(&self) -> bool {
        self.events.iter().any(|event| event.idempotency_key.is_some())
    }
}

async fn store(log: &LogCore, batch: &[Job]) -> Result<Vec<Appended>, Failure> {
    let events: Vec<_> = batch.iter().map(|job| &job.events[..]).collect();
    append::append(log, APPEND, &events).await
}
