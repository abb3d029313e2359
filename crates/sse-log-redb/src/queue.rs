//! What waits to be written: bounded, in the order in which it came.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_listener::Event;

use crate::work::Work;

/// How many requests wait at the most, and how many bytes of them. More wait for their turn outside.
const WAITING: (usize, usize) = (1024, 16 * 1024 * 1024);
/// How many requests are one transaction at the most, and how many bytes of them. One is, whatever its size.
pub(crate) const TOGETHER: (usize, usize) = (1024, 1024 * 1024);

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    writer: Condvar,
    has_room: Event,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Work>>,
    bytes: usize,
    /// At how many the writer is woken. 0: it does not wait.
    writer_waits_for: usize,
    is_closed: bool,
}

/// What the writer does next.
pub(crate) enum Next {
    /// One transaction.
    Batch(Vec<Box<dyn Work>>),
    /// Nothing has come for this long.
    Idle,
    /// Nothing comes any more.
    Closed,
}

impl Queue {
    /// Waits for its turn where too much waits already.
    pub(crate) async fn push(&self, mut work: Box<dyn Work>) {
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
    pub(crate) fn try_push(&self, work: Box<dyn Work>) -> Result<(), Box<dyn Work>> {
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

    /// The next transaction: waits for the first request, and then, for as long as `gather` says, for so many.
    pub(crate) fn next(&self, idle: Duration, (count, gather): (usize, Duration)) -> Next {
        let state = self.wait(self.lock(), 1, idle);
        if state.waiting.is_empty() {
            return if state.is_closed { Next::Closed } else { Next::Idle };
        }
        let mut state = self.wait(state, count, gather);
        let (mut batch, mut size) = (Vec::with_capacity(state.waiting.len().min(TOGETHER.0)), 0);
        while batch.len() < TOGETHER.0
            && let Some(next) = state.waiting.front()
            && (batch.is_empty() || size + next.size() <= TOGETHER.1)
        {
            size += next.size();
            batch.extend(state.waiting.pop_front());
        }
        state.bytes -= size;
        drop(state);
        self.has_room.notify(usize::MAX);
        Next::Batch(batch)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Waits until there are so many, or as many as go together, or the time is over, or it is closed.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        count: usize,
        at_most: Duration,
    ) -> MutexGuard<'a, State> {
        let end = Instant::now() + at_most;
        state.writer_waits_for = count;
        while !state.is_enough() && !state.is_closed {
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
