//! What is to be written, shared by the writer and the one who waits: it is made, and freed, where it is waited for.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use sse_core::store::StoreError;

use crate::error::Failure;
use crate::transaction::Transaction;

/// What is to be written.
pub(crate) trait Request: Send + Sync {
    /// How many bytes it adds to a transaction.
    fn size(&self) -> usize;
    /// Whether it makes room, so that it may use what is in reserve on a full disk.
    fn makes_room(&self) -> bool;
    /// Whether anybody still waits.
    fn has_caller(&self) -> bool;
    /// Whether it has waited for so long that it is not begun any more.
    fn is_late(&self, now: Instant) -> bool;
    /// Writes into the transaction. An error is that of the whole transaction, after which it may be run again.
    fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    /// Answers, unless it has an answer. Returns whom to wake.
    fn settle(&self, outcome: &Outcome) -> Option<Waker>;
}

/// Some work on its way to the writer and with it. If that drops it unanswered, whoever waits is told so.
pub(crate) struct QueuedRequest(Arc<dyn Request>);

impl QueuedRequest {
    pub(crate) fn new(work: Arc<dyn Request>) -> Self {
        Self(work)
    }
}

impl Deref for QueuedRequest {
    type Target = dyn Request;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Drop for QueuedRequest {
    fn drop(&mut self) {
        if self.has_caller() {
            let reason = "the thread that writes the file has ended";
            self.settle(&Outcome::Unknown(reason.into())).into_iter().for_each(Waker::wake);
        }
    }
}

/// Answers all before it wakes any: who is woken while others are still to be answered runs dry, and has to be woken for each.
pub(crate) fn settle(jobs: Vec<QueuedRequest>, outcome: &Outcome) {
    let wakers: Vec<_> = jobs.iter().filter_map(|job| job.settle(outcome)).collect();
    drop(jobs);
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
pub(crate) struct RequestOptions {
    pub(crate) size: usize,
    pub(crate) makes_room: bool,
    /// It is not begun after that.
    pub(crate) start_before: Option<Instant>,
}

impl RequestOptions {
    /// Adds so many bytes, and is to be begun within this time.
    pub(crate) fn adds(size: usize, within: Duration) -> Self {
        Self { size, makes_room: false, start_before: Instant::now().checked_add(within) }
    }

    /// Adds next to nothing.
    pub(crate) const SMALL: Self = Self { size: 0, makes_room: false, start_before: None };
    /// Drops events.
    pub(crate) const MAKES_ROOM: Self = Self { makes_room: true, ..Self::SMALL };
}

/// Something to write, and what came of it.
pub(crate) struct WriteRequest<F, T> {
    work: F,
    options: RequestOptions,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// What the work has returned; it holds once the transaction does.
    done: Option<Result<T, StoreError>>,
    answer: Option<Result<T, StoreError>>,
    waiting: Option<Waker>,
    /// Whether the caller still waits for an answer.
    has_caller: bool,
}

/// Has a task left undone when its caller leaves.
struct Caller<'a, F, T>(&'a WriteRequest<F, T>);

impl<F, T> WriteRequest<F, T> {
    pub(crate) fn new(options: RequestOptions, work: F) -> Arc<Self> {
        let state = State { done: None, answer: None, waiting: None, has_caller: true };
        Arc::new(Self { work, options, state: Mutex::new(state) })
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
        self.0.lock().has_caller = false;
    }
}

impl<F, T> Request for WriteRequest<F, T>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Failure> + Send + Sync,
    T: Send,
{
    fn size(&self) -> usize {
        self.options.size
    }

    fn makes_room(&self) -> bool {
        self.options.makes_room
    }

    fn has_caller(&self) -> bool {
        self.lock().has_caller
    }

    fn is_late(&self, now: Instant) -> bool {
        self.options.start_before.is_some_and(|start_before| now > start_before)
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
        if !state.has_caller {
            return None;
        }
        let answer = match (outcome, state.done.take()) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return None,
        };
        (state.answer, state.has_caller) = (Some(answer), false);
        state.waiting.take()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn task()
    -> Arc<WriteRequest<impl Fn(&mut Transaction<'_>) -> Result<u8, Failure> + Send + Sync, u8>>
    {
        WriteRequest::new(RequestOptions::SMALL, |_: &mut Transaction<'_>| Ok(7))
    }

    #[test]
    fn a_task_that_the_writer_drops_is_answered() {
        let task = task();
        drop(QueuedRequest::new(task.clone()));
        let answer = task.answered().now_or_never().expect("an answer");
        assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");
    }

    #[test]
    fn a_task_keeps_its_first_answer() {
        let task = task();
        settle(vec![QueuedRequest::new(task.clone())], &Outcome::NotStored("full".into()));
        let answer = task.answered().now_or_never().expect("an answer");
        assert!(matches!(answer, Err(StoreError::Failed(_))), "{answer:?}");
    }

    #[test]
    fn a_task_that_nobody_waits_for_is_not_wanted() {
        let task = task();
        assert!(task.has_caller());
        assert!(task.answered().now_or_never().is_none(), "it is not written yet");
        assert!(!task.has_caller());
    }
}
