//! The rounds of a run.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use sse_core::{Epoch, Event, EventId};
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::arrive::arrive;
use crate::book::{Book, Number, parts};
use crate::clients::read;
use crate::faults::{Kind, Subject};
use crate::options::Options;
use crate::process::Process;
use crate::publishers::publish;
use crate::summary::{Counts, told};
use crate::trail::Trail;

pub(crate) const CLIENTS: usize = 4;
const PUBLISHERS: usize = 3; // of each process

/// The state that all parts of a run share.
pub(crate) struct Chaos {
    pub(crate) subject: Box<dyn Subject>,
    pub(crate) processes: [Process; 2],
    /// The publishers read it, and a fault that wants them to pause writes it.
    pub(crate) gate: RwLock<()>,
    /// The newest idempotency key that anybody has come to.
    pub(crate) once: AtomicU64,
    pub(crate) begun: std::time::Instant,
    /// The time for which nobody may get on, once a fault has ended, and in which an append must be stored.
    pub(crate) patience: Duration,
    book: Mutex<Book>,
}

impl Chaos {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn failed(&self) -> Result<(), String> {
        self.book().failure.clone().map_or(Ok(()), Err)
    }
}

/// Begins rounds for as long as the options say.
pub(crate) async fn run(subject: Box<dyn Subject>, options: &Options) -> Result<Counts, String> {
    let processes = [Process::new(0), Process::new(1)];
    let begun = std::time::Instant::now();
    let (gate, once, book) = (RwLock::default(), AtomicU64::new(10), Mutex::new(Book::new()));
    let chaos =
        Arc::new(Chaos { subject, processes, gate, once, begun, patience: options.patience, book });
    let mut rng = Rng::with_seed(options.seed);
    for process in &chaos.processes {
        process.start(&*chaos.subject).await?;
    }
    let mut kinds = chaos.subject.kinds();
    kinds.retain(|kind| options.kinds.as_ref().is_none_or(|only| only.contains(kind)));
    assert!(!kinds.is_empty(), "none of these can be done to this engine");

    let (_, first) = mark(&chaos, 0).await?;
    let (mut epoch, position) = parts(first.as_str()).expect("an id of a log");
    chaos.book().trails = (0..CLIENTS).map(|_| Trail::new(epoch, position)).collect();
    let mut tasks = JoinSet::new(); // aborts them when it is dropped
    for client in 0..CLIENTS {
        tasks.spawn(read(chaos.clone(), client, first.to_string(), rng.fork()));
    }
    for publisher in 0..2 * PUBLISHERS {
        tasks.spawn(publish(chaos.clone(), publisher % 2, rng.fork()));
    }
    let (begun, mut deck) = (Instant::now(), Vec::new());
    while begun.elapsed() < options.time {
        if deck.is_empty() {
            deck.clone_from(&kinds);
            rng.shuffle(&mut deck);
        }
        let kind = deck.pop().expect("it was filled");
        epoch = round(&chaos, kind, epoch, &mut rng).await.map_err(|failure| {
            let counts = &chaos.book().counts;
            format!(
                "{failure}\nduring {kind:?}, after {:.1?}: {counts}\n{:?}",
                begun.elapsed(),
                counts.errors
            )
        })?;
    }
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            return Err(format!("{error:?}"));
        }
    }
    let mut book = chaos.book();
    book.counts.received = book.trails.iter().map(|trail| trail.received).collect();
    book.counts.check()?;
    Ok(book.counts.clone())
}

/// One fault, and what comes of it. Answers the epoch there is then.
async fn round(chaos: &Chaos, kind: Kind, before: Epoch, rng: &mut Rng) -> Result<Epoch, String> {
    sleep(Duration::from_millis(rng.u64(100..500))).await;
    {
        let mut book = chaos.book();
        book.calm_since = None;
        book.kind = kind;
        *book.counts.faults.entry(kind.name()).or_default() += 1;
    }
    chaos.subject.inflict(kind, chaos, rng).await?;
    chaos.book().calm_since = Some(std::time::Instant::now());
    sleep(Duration::from_millis(rng.u64(100..600))).await;
    let paused = timeout(chaos.patience, chaos.gate.write()).await;
    let _paused =
        paused.map_err(|_| format!("an append has not ended after {:?}", chaos.patience))?;
    let (marker, _) = mark(chaos, rng.usize(..2)).await?;
    let truth = arrive(chaos, marker, before).await?;
    chaos.subject.settle().await;
    let mut book = chaos.book();
    book.check(&truth, before);
    if truth.bounds.epoch != before {
        book.counts.epochs += 1;
    }
    if let Some(failure) = &book.failure {
        return Err(failure.clone());
    }
    book.begin_a_round(&truth, before);
    Ok(truth.bounds.epoch)
}

/// Appends an event that each client has to get.
async fn mark(chaos: &Chaos, process: usize) -> Result<(Number, EventId), String> {
    let (number, text) = chaos.book().begin(10, None, None);
    let (begun, key) = (Instant::now(), format!("marker {number}"));
    loop {
        chaos.failed()?;
        let (log, _) = chaos.processes[process].log().expect("both run between faults");
        match log.append(Event::from(text.as_str()).idempotency_key(&key).expect("a key")).await {
            Ok(id) => {
                chaos.book().stored(number, &id);
                return Ok((number, id));
            }
            Err(error) if begun.elapsed() > chaos.patience => {
                return Err(format!("process {process} cannot append: {}", told(&error)));
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
