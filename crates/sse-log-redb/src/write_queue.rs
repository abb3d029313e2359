//! Queue of write requests: bounded, in order of arrival.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_listener::Event;

use crate::write_request::QueuedRequest;

/// Largest number of waiting requests, and of their bytes: 1024 requests and 16 MiB. More requests wait outside the queue.
const QUEUE_LIMIT: (usize, usize) = (1024, 16 * 1024 * 1024);
/// Largest number of requests in a transaction, and of their bytes: 1024 requests and 1 MiB. A single request may be larger.
pub(crate) const BATCH_LIMIT: (usize, usize) = (1024, 1024 * 1024);

/// Number of requests at which the writer wakes while it gathers a transaction.
const WAKE_COUNT: usize = 64;

#[derive(Default)]
pub(crate) struct WriteQueue {
    state: Mutex<State>,
    writer: Condvar,
    has_room: Event,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<QueuedRequest>,
    bytes: usize,
    /// Number of requests at which the writer wakes. 0: the writer is not waiting.
    wake_writer_at: usize,
    is_closed: bool,
}

/// Next step of the writer.
pub(crate) enum Next {
    /// Requests for a transaction.
    Batch(Vec<QueuedRequest>),
    /// No request in the given time.
    Idle,
    /// End of the queue.
    Closed,
}

impl WriteQueue {
    /// Adds a request, and waits while the queue is full.
    pub(crate) async fn push(&self, mut request: QueuedRequest) {
        loop {
            request = match self.try_push(request) {
                Ok(()) => return,
                Err(request) => request,
            };
            let has_room = self.has_room.listen();
            request = match self.try_push(request) {
                Ok(()) => return,
                Err(request) => request,
            };
            has_room.await;
        }
    }

    /// Adds a request, and returns it if the queue is full.
    pub(crate) fn try_push(&self, request: QueuedRequest) -> Result<(), QueuedRequest> {
        let mut state = self.lock();
        let bytes = state.bytes + request.size();
        if state.waiting.len() >= QUEUE_LIMIT.0
            || (bytes > QUEUE_LIMIT.1 && !state.waiting.is_empty())
        {
            return Err(request);
        }
        state.bytes = bytes;
        state.waiting.push_back(request);
        let is_enough = state.is_enough();
        drop(state);
        if is_enough {
            self.writer.notify_one();
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.writer.notify_one();
    }

    /// Waits for the first requests of a transaction.
    pub(crate) fn next(&self, idle: Duration) -> Next {
        let state = self.wait(self.lock(), 1, Instant::now() + idle);
        if state.waiting.is_empty() {
            return if state.is_closed { Next::Closed } else { Next::Idle };
        }
        let mut batch = Vec::with_capacity(state.waiting.len().min(BATCH_LIMIT.0));
        self.take(state, &mut batch);
        Next::Batch(batch)
    }

    /// Adds the waiting requests to a transaction. If it has fewer requests than `count`, this waits for more until `end`. Returns true if it added any.
    pub(crate) fn more(&self, batch: &mut Vec<QueuedRequest>, count: usize, end: Instant) -> bool {
        let missing = count.saturating_sub(batch.len());
        let before = batch.len();
        let state = self.wait(self.lock(), missing.min(WAKE_COUNT), end);
        self.take(state, batch);
        batch.len() > before
    }

    fn take(&self, mut state: MutexGuard<'_, State>, batch: &mut Vec<QueuedRequest>) {
        let mut size = batch.iter().map(|request| request.size()).sum::<usize>();
        let before = batch.len();
        while batch.len() < BATCH_LIMIT.0
            && let Some(next) = state.waiting.front()
            && (batch.is_empty() || size + next.size() <= BATCH_LIMIT.1)
        {
            size += next.size();
            state.bytes -= next.size();
            batch.extend(state.waiting.pop_front());
        }
        drop(state);
        if batch.len() > before {
            self.has_room.notify(usize::MAX);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Waits until `count` requests or a full transaction are waiting, until `end`, or until the queue is closed.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        count: usize,
        end: Instant,
    ) -> MutexGuard<'a, State> {
        state.wake_writer_at = count;
        while count > 0 && !state.is_enough() && !state.is_closed {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.writer.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wake_writer_at = 0;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_enough(&self) -> bool {
        let count = self.wake_writer_at.min(BATCH_LIMIT.0);
        count > 0 && (self.waiting.len() >= count || self.bytes >= BATCH_LIMIT.1)
    }
}
