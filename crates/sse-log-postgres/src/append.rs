use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use sse_core::Cursor;
use sse_core::store::{Appended, NewEvent, Retention};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_postgres::Row;

use crate::bounds;
use crate::clock::interval;
use crate::failure::{Cause, Failure};
use crate::log::{Kind, Log};

pub(crate) const APPEND: &str = "SELECT epoch, hi, lo FROM sse_log_append($1, $2, $3, $4, make_interval(secs => $5), to_timestamp($6), $7, $8)";
/// How many appends wait to be written, at most; more wait to wait.
const WAITING: usize = 1024;
/// How many transactions write at the same time: while one waits for the disk, the next fills. As many again write what has idempotency keys.
const AT_A_TIME: usize = 2;
/// How many of those that failed together are tried at the same time, each alone.
const ALONE_AT_A_TIME: usize = 2;
/// How many events, and bytes, share a transaction, unless they were appended together.
const TOGETHER: (usize, usize) = (1000, 1024 * 1024);
/// How often it is tried again to store what was in the way of another transaction.
const ATTEMPTS: usize = 5;

/// Events that are to be stored, and whom to tell.
struct Job {
    events: Vec<NewEvent>,
    answer: oneshot::Sender<Result<Appended, Failure>>,
}

/// To those who write. What has idempotency keys may have to wait for whoever stores an event with such a key now, an application's
/// transaction perhaps, and nothing else waits with it.
#[derive(Clone)]
pub(crate) struct Jobs {
    plain: mpsc::Sender<Job>,
    once: mpsc::Sender<Job>,
}

/// Starts what writes. It ends with what is returned.
pub(crate) fn start(log: &Arc<Log>, runtime: &Handle) -> Jobs {
    let start = || start_one(Arc::clone(log), runtime);
    Jobs { plain: start(), once: start() }
}

/// Starts what writes: all that came while others were written shares a transaction, and waits for the disk once.
fn start_one(log: Arc<Log>, runtime: &Handle) -> mpsc::Sender<Job> {
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

pub(crate) async fn append(jobs: &Jobs, events: &[NewEvent]) -> Result<Appended, Failure> {
    check(events)?;
    let (answer, stored) = oneshot::channel();
    let job = Job { events: events.to_vec(), answer };
    let jobs = if job.has_idempotency_key() { &jobs.once } else { &jobs.plain };
    jobs.send(job).await.map_err(|_| Failure::before(Cause::NoTask))?;
    stored.await.map_err(|_| Failure::after(Cause::NoTask))?
}

/// Refuses what Postgres would, and with it what others have appended.
pub(crate) fn check(events: &[NewEvent]) -> Result<(), Failure> {
    let mut keys = events.iter().flat_map(|event| [&event.key, &event.idempotency_key]).flatten();
    match keys.any(|key| key.contains('\0')) {
        true => Err(Failure::before(Cause::Nul)),
        false => Ok(()),
    }
}

fn bytes(events: &[NewEvent]) -> usize {
    events.iter().map(|event| event.block.len()).sum()
}

async fn write(log: &Log, mut batch: Vec<Job>) {
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

async fn write_each_alone(log: &Log, batch: Vec<Job>) {
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

async fn store(log: &Log, batch: &[Job]) -> Result<Vec<Appended>, Failure> {
    let events = batch.iter().flat_map(|job| &job.events);
    let columns = Columns::of(events.clone());
    let window = interval(log.options.idempotency_window);
    let is_due = log.due.is_due(columns.blocks.len(), columns.blocks.iter().map(|b| b.len()).sum());
    let limits = is_due.then(|| limits(&log.options.retention()));
    let (max_events, max_bytes) = limits.unzip();
    let mut attempts = 1;
    let rows = loop {
        let parameters: Parameters<'_> = [
            &log.name.as_str(),
            &columns.blocks,
            &columns.keys,
            &columns.idempotency_keys,
            &window,
            &log.now(),
            &max_events,
            &max_bytes,
        ];
        match log.query(Kind::Write, APPEND, &parameters).await {
            Err(failure) if failure.is_conflict() && attempts < ATTEMPTS => attempts += 1,
            rows => break rows?,
        }
    };
    let mut rows = rows.iter();
    batch.iter().map(|job| appended(rows.by_ref().take(job.events.len()))).collect()
}
type Parameters<'a> = [&'a (dyn tokio_postgres::types::ToSql + Sync); 8];

/// How much is kept, as Postgres takes it.
pub(crate) fn limits(retention: &Retention) -> (i64, i64) {
    let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
    (number(retention.events), number(retention.bytes))
}

/// Events as Postgres takes them.
pub(crate) struct Columns<'a> {
    pub(crate) blocks: Vec<&'a [u8]>,
    /// None where no event has one.
    pub(crate) keys: Option<Vec<Option<&'a str>>>,
    /// None where no event has one.
    pub(crate) idempotency_keys: Option<Vec<Option<&'a str>>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(events: impl Iterator<Item = &'a NewEvent> + Clone) -> Self {
        let column = |key: fn(&NewEvent) -> Option<&str>| {
            let is_empty = events.clone().all(|event| key(event).is_none());
            (!is_empty).then(|| events.clone().map(key).collect())
        };
        Self {
            keys: column(|event| event.key.as_deref()),
            idempotency_keys: column(|event| event.idempotency_key.as_deref()),
            blocks: events.clone().map(|event| &event.block[..]).collect(),
        }
    }
}

/// Where the events of these rows were stored; without rows the log is finished.
pub(crate) fn appended<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Appended, Failure> {
    let mut rows = rows.peekable();
    let epoch = rows.peek().ok_or(Failure::Finished)?.get::<_, &str>(0);
    let epoch = epoch.parse().map_err(|_| Failure::after(Cause::Epoch))?;
    let cursors: Vec<Cursor> = rows.map(|row| bounds::cursor(row.get(1), row.get(2))).collect();
    Ok(Appended { epoch, cursors })
}
