//! Requests to write. The writer and the caller share a request; the caller allocates and frees it.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use sse_core::store::StoreError;

use crate::error::Failure;
use crate::transaction::Transaction;

/// A request to write.
pub(crate) trait Request: Send + Sync {
    /// Returns the number of bytes that the request adds to a transaction.
    fn size(&self) -> usize;
    /// Returns true if the request makes room, and so may use the reserve on a full disk.
    fn makes_room(&self) -> bool;
    /// Returns true if a caller waits for the result.
    fn has_caller(&self) -> bool;
    /// Returns true if the request has waited too long to be started.
    fn is_late(&self, now: Instant) -> bool;
    /// Writes into the transaction. An error fails the whole transaction, after which the request may run again.
    fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    /// Sets the result, unless it is set. Returns the waker of its caller.
    fn settle(&self, outcome: &Outcome) -> Option<Waker>;
}

/// A request on its way to the writer. If the writer drops it without a result, its caller gets an error: the outcome is unknown.
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

/// Sets all results before it wakes any task: a task that wakes earlier runs out of results and must be woken for each of them.
pub(crate) fn settle(requests: Vec<QueuedRequest>, outcome: &Outcome) {
    let wakers: Vec<_> = requests.iter().filter_map(|request| request.settle(outcome)).collect();
    drop(requests);
    wakers.into_iter().for_each(Waker::wake);
}

/// Outcome of a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Stored,
    NotStored(String),
    Unknown(String),
}

/// Properties of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestOptions {
    pub(crate) size: usize,
    pub(crate) makes_room: bool,
    /// Time after which the request is not started.
    pub(crate) start_before: Option<Instant>,
}

impl RequestOptions {
    /// Returns the options of a request that adds this many bytes and must start within this time.
    pub(crate) fn adds(size: usize, within: Duration) -> Self {
        Self { size, makes_room: false, start_before: Instant::now().checked_add(within) }
    }

    /// Options of a request that adds almost nothing.
    pub(crate) const SMALL: Self = Self { size: 0, makes_room: false, start_before: None };
    /// Options of a request that drops events.
    pub(crate) const MAKES_ROOM: Self = Self { makes_room: true, ..Self::SMALL };
}

/// A request with its result.
pub(crate) struct WriteRequest<F, T> {
    work: F,
    options: RequestOptions,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Result of the work. It is valid once the transaction is committed.
    done: Option<Result<T, StoreError>>,
    result: Option<Result<T, StoreError>>,
    waiting: Option<Waker>,
    /// True while the caller waits for the result.
    has_caller: bool,
}

/// Guard of a waiting caller: a dropped guard cancels the request.
struct Caller<'a, F, T>(&'a WriteRequest<F, T>);

impl<F, T> WriteRequest<F, T> {
    pub(crate) fn new(options: RequestOptions, work: F) -> Arc<Self> {
        let state = State { done: None, result: None, waiting: None, has_caller: true };
        Arc::new(Self { work, options, state: Mutex::new(state) })
    }

    /// Waits for the result.
    pub(crate) async fn completed(&self) -> Result<T, StoreError> {
        let _caller = Caller(self);
        poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(result) = state.result.take() {
                return Poll::Ready(result);
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
        let result = match (outcome, state.done.take()) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return None,
        };
        (state.result, state.has_caller) = (Some(result), false);
        state.waiting.take()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn request()
    -> Arc<WriteRequest<impl Fn(&mut Transaction<'_>) -> Result<u8, Failure> + Send + Sync, u8>>
    {
        WriteRequest::new(RequestOptions::SMALL, |_: &mut Transaction<'_>| Ok(7))
    }

    #[test]
    fn a_request_that_the_writer_drops_gets_an_error() {
        let request = request();
        drop(QueuedRequest::new(request.clone()));
        let result = request.completed().now_or_never().expect("a result");
        assert!(matches!(result, Err(StoreError::OutcomeUnknown(_))), "{result:?}");
    }

    #[test]
    fn a_request_keeps_its_first_result() {
        let request = request();
        settle(vec![QueuedRequest::new(request.clone())], &Outcome::NotStored("full".into()));
        let result = request.completed().now_or_never().expect("a result");
        assert!(matches!(result, Err(StoreError::Failed(_))), "{result:?}");
    }

    #[test]
    fn a_request_has_no_caller_once_its_wait_is_dropped() {
        let request = request();
        assert!(request.has_caller());
        assert!(request.completed().now_or_never().is_none(), "it is not written yet");
        assert!(!request.has_caller());
    }
}
