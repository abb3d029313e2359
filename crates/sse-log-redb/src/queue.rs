//! What waits to be written: bounded, in the order in which it came.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_listener::Event;

use crate::work::Job;

/// How many requests wait at the most, and how many bytes of them. More wait for their turn outside.
const WAITING: (usize, usize) = (1024, 16 * 1024 * 1024);
/// How many requests are one transaction at the most, and how many bytes of them. One is, whatever its size.
pub(crate) const TOGETHER: (usize, usize) = (1024, 1024 * 1024);

/// For how many the writer is woken while it has others to write.
const PIECE: usize = 64;

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    writer: Condvar,
    has_room: Event,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    bytes: usize,
    /// At how many the writer is woken. 0: it does not wait.
    writer_waits_for: usize,
    is_closed: bool,
}

/// What the writer does next.
pub(crate) enum Next {
    /// One transaction.
    Batch(Vec<Job>),
    /// Nothing has come for this long.
    Idle,
    /// Nothing comes any more.
    Closed,
}

impl Queue {
    /// Waits for its turn where too much waits already.
    pub(crate) async fn push(&self, mut work: Job) {
        loop {
            work = match self.try_push(work) {
                Ok(()) => return,
                Err(work) => work,
            };
            let has_room = self.has_room.listen();
            work = match self.try_push(work) {
                Ok(()) => return,
                Err(work) => work,
            };
            has_room.await;
        }
    }

    /// Gives it back where too much waits already.
    pub(crate) fn try_push(&self, work: Job) -> Result<(), Job> {
        let mut state = self.lock();
        let bytes = state.bytes + work.size();
        if state.waiting.len() >= WAITING.0 || (bytes > WAITING.1 && !state.waiting.is_empty()) {
            return Err(work);
        }
        state.bytes = bytes;
        state.waiting.push_back(work);
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
        let mut batch = Vec::with_capacity(state.waiting.len().min(TOGETHER.0));
        self.take(state, &mut batch);
        Next::Batch(batch)
    }

    /// Adds to a transaction what waits by now; if it has fewer requests than this, waits for some more. Returns whether there were any.
    pub(crate) fn more(&self, batch: &mut Vec<Job>, count: usize, end: Instant) -> bool {
        let missing = count.saturating_sub(batch.len());
        let before = batch.len();
        let state = self.wait(self.lock(), missing.min(PIECE), end);
        self.take(state, batch);
        batch.len() > before
    }

    fn take(&self, mut state: MutexGuard<'_, State>, batch: &mut Vec<Job>) {
        let mut size = batch.iter().map(|work| work.size()).sum::<usize>();
        let before = batch.len();
        while batch.len() < TOGETHER.0
            && let Some(next) = state.waiting.front()
            && (batch.is_empty() || size + next.size() <= TOGETHER.1)
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

    /// Waits until there are so many, or as many as go together, or the time is over, or it is closed.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        count: usize,
        end: Instant,
    ) -> MutexGuard<'a, State> {
        state.writer_waits_for = count;
        while count > 0 && !state.is_enough() && !state.is_closed {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.writer.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.writer_waits_for = 0;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_enough(&self) -> bool {
        let count = self.writer_waits_for.min(TOGETHER.0);
        count > 0 && (self.waiting.len() >= count || self.bytes >= TOGETHER.1)
    }
}
