//! What is to be written, shared by the writer and the one who waits: it is made, and freed, where it is waited for.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use sse_core::store::StoreError;

use crate::failure::Failure;
use crate::transaction::Transaction;

/// What is to be written.
pub(crate) trait Work: Send + Sync {
    /// How many bytes it adds to a transaction.
    fn size(&self) -> usize;
    /// Whether it makes room, so that it may use what is in reserve on a full disk.
    fn makes_room(&self) -> bool;
    /// Whether anybody still waits.
    fn is_wanted(&self) -> bool;
    /// Whether it has waited for so long that it is not begun any more.
    fn is_late(&self, now: Instant) -> bool;
    /// Writes into the transaction. An error is that of the whole transaction, after which it may be run again.
    fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    /// Answers. Returns whom to wake.
    fn settle(&self, outcome: &Outcome) -> Option<Waker>;
}

/// Answers all, and then wakes those who wait: few of them come to wait for the same thread again.
pub(crate) fn settle(works: Vec<Arc<dyn Work>>, outcome: &Outcome) {
    let wakers: Vec<_> = works.iter().filter_map(|work| work.settle(outcome)).collect();
    drop(works);
    wakers.into_iter().for_each(Waker::wake);
}

/// What has become of a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Stored,
    NotStored(String),
    Unknown(String),
}

/// How a request is treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) size: usize,
    pub(crate) makes_room: bool,
    /// It is not begun after that.
    pub(crate) until: Option<Instant>,
}

impl Manner {
    /// Adds so many bytes, and is to be begun within this time.
    pub(crate) fn adds(size: usize, within: Duration) -> Self {
        Self { size, makes_room: false, until: Instant::now().checked_add(within) }
    }

    /// Adds next to nothing.
    pub(crate) const SMALL: Self = Self { size: 0, makes_room: false, until: None };
    /// Drops events.
    pub(crate) const MAKES_ROOM: Self = Self { makes_room: true, ..Self::SMALL };
}

/// Something to write, and what came of it.
pub(crate) struct Task<F, T> {
    work: F,
    manner: Manner,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// What the work has returned; it holds once the transaction does.
    done: Option<Result<T, StoreError>>,
    answer: Option<Result<T, StoreError>>,
    waiting: Option<Waker>,
    is_wanted: bool,
}

/// Has a task left undone when its caller leaves.
struct Caller<'a, F, T>(&'a Task<F, T>);

impl<F, T> Task<F, T> {
    pub(crate) fn new(manner: Manner, work: F) -> Arc<Self> {
        let state = State { done: None, answer: None, waiting: None, is_wanted: true };
        Arc::new(Self { work, manner, state: Mutex::new(state) })
    }

    /// Waits for the answer.
    pub(crate) async fn answered(&self) -> Result<T, StoreError> {
        let _caller = Caller(self);
        poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(answer) = state.answer.take() {
                return Poll::Ready(answer);
            }
            match &mut state.waiting {
                Some(waiting) => waiting.clone_from(cx.waker()),
                waiting => *waiting = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F, T> Drop for Caller<'_, F, T> {
    fn drop(&mut self) {
        self.0.lock().is_wanted = false;
    }
}

impl<F, T> Work for Task<F, T>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Failure> + Send + Sync,
    T: Send,
{
    fn size(&self) -> usize {
        self.manner.size
    }

    fn makes_room(&self) -> bool {
        self.manner.makes_room
    }

    fn is_wanted(&self) -> bool {
        self.lock().is_wanted
    }

    fn is_late(&self, now: Instant) -> bool {
        self.manner.until.is_some_and(|until| now > until)
    }

    fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        let done = match (self.work)(transaction) {
            Err(error @ Failure::Engine(_)) => return Err(error),
            done => done.map_err(Failure::into_store_error),
        };
        self.lock().done = Some(done);
        Ok(())
    }

    fn settle(&self, outcome: &Outcome) -> Option<Waker> {
        let mut state = self.lock();
        let answer = match (outcome, state.done.take()) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return None,
        };
        state.answer = Some(answer);
        state.waiting.take()
    }
}
