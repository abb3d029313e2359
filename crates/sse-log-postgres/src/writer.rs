use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use sse_core::store::{Appended, NewEvent};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::append::{self, check};
use crate::core::LogCore;
use crate::error::{Cause, Failure};

/// How many appends wait to be written, at most; more wait to wait.
const WAITING: usize = 1024;
/// How many transactions write at the same time: while one waits for the disk, the next fills. As many again write what has idempotency keys.
const AT_A_TIME: usize = 2;
/// How many of those that failed together are tried at the same time, each alone.
const ALONE_AT_A_TIME: usize = 2;
/// How many events, and bytes, share a transaction, unless they were appended together.
const TOGETHER: (usize, usize) = (1000, 1024 * 1024);

/// Events that are to be stored, and whom to tell.
struct Job {
    events: Vec<NewEvent>,
    answer: oneshot::Sender<Result<Appended, Failure>>,
}

/// To those who write. What has idempotency keys may have to wait for whoever stores an event with such a key now, an application's
/// transaction perhaps, and nothing else waits with it.
#[derive(Clone)]
pub(crate) struct Writer {
    plain: mpsc::Sender<Job>,
    once: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts what writes. It ends with what is returned.
    pub(crate) fn start(log: &Arc<LogCore>, runtime: &Handle) -> Self {
        let start = || start_one(Arc::clone(log), runtime);
        Self { plain: start(), once: start() }
    }

    pub(crate) async fn append(&self, events: &[NewEvent]) -> Result<Appended, Failure> {
        check(events)?;
        let (answer, stored) = oneshot::channel();
        let job = Job { events: events.to_vec(), answer };
        let jobs = if job.has_idempotency_key() { &self.once } else { &self.plain };
        jobs.send(job).await.map_err(|_| Failure::before(Cause::NoTask))?;
        stored.await.map_err(|_| Failure::after(Cause::NoTask))?
    }
}

/// Starts what writes: all that came while others were written shares a transaction, and waits for the disk once.
fn start_one(log: Arc<LogCore>, runtime: &Handle) -> mpsc::Sender<Job> {
    let (jobs, mut queue) = mpsc::channel::<Job>(WAITING);
    runtime.spawn(async move {
        let lanes = Arc::new(Semaphore::new(AT_A_TIME));
        let mut first = queue.recv().await;
        while let Some(job) = first.take() {
            let Ok(lane) = Arc::clone(&lanes).acquire_owned().await else { return };
            let mut batch = vec![job];
            let mut size = (batch[0].events.len(), bytes(&batch[0].events));
            while let Ok(job) = queue.try_recv() {
                size = (size.0 + job.events.len(), size.1 + bytes(&job.events));
                if size.0 > TOGETHER.0 || size.1 > TOGETHER.1 {
                    first = Some(job);
                    break;
                }
                batch.push(job);
            }
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                write(&log, batch).await;
                log.has_changed();
                drop(lane);
            });
            if first.is_none() {
                first = queue.recv().await;
            }
        }
    });
    jobs
}

fn bytes(events: &[NewEvent]) -> usize {
    events.iter().map(|event| event.block.len()).sum()
}

async fn write(log: &LogCore, mut batch: Vec<Job>) {
    // Whoever has gone was told that it is not known, and may have given up long ago.
    batch.retain(|job| !job.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let answers = match store(log, &batch).await {
        Err(failure) if batch.len() > 1 && is_about_some(&failure, &batch) => {
            return write_each_alone(log, batch).await;
        }
        Err(failure) => vec![Err(failure); batch.len()],
        Ok(answers) => answers.into_iter().map(Ok).collect(),
    };
    for (job, answer) in batch.into_iter().zip(answers) {
        _ = job.answer.send(answer);
    }
}

/// Whether others could be stored without those that are to blame.
fn is_about_some(failure: &Failure, batch: &[Job]) -> bool {
    // One that is tried again is answered, though the log is finished.
    let is_about_keys = failure.is_blocked() || matches!(failure, Failure::Finished);
    failure.is_about_data() || (is_about_keys && batch.iter().any(Job::has_idempotency_key))
}

async fn write_each_alone(log: &LogCore, batch: Vec<Job>) {
    let write = |job: Job| async move {
        if !job.answer.is_closed() {
            let stored = store(log, std::slice::from_ref(&job)).await;
            let stored = stored.and_then(|mut one| one.pop().ok_or(Failure::Finished));
            _ = job.answer.send(stored);
        }
    };
    stream::iter(batch).for_each_concurrent(ALONE_AT_A_TIME, write).await;
}

impl Job {
    fn has_idempotency_key(&self) -> bool {
        self.events.iter().any(|event| event.idempotency_key.is_some())
    }
}

async fn store(log: &LogCore, batch: &[Job]) -> Result<Vec<Appended>, Failure> {
    let events: Vec<_> = batch.iter().map(|job| &job.events[..]).collect();
    append::append(log, &events).await
}
