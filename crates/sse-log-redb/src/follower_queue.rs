//! Events that the writer passes to a follower, so that the follower need not read them from the file.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sse_core::store::{Bounds, Page, PageLimit, StoredEvent};

/// Largest number of events and bytes in the queue: 4096 events and 1 MiB. If there are more, the follower reads them from the file.
const QUEUE_LIMIT: PageLimit = PageLimit { events: 4096, bytes: 1024 * 1024 };

/// Queue between the writer and one follower.
#[derive(Debug, Default)]
pub(crate) struct FollowerQueue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    events: VecDeque<StoredEvent>,
    bytes: usize,
    bounds: Option<Bounds>,
    must_read: bool,
    has_ended: bool,
    follower: Option<Waker>,
}

/// Next step of a follower.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// New events, with their bounds.
    Page(Page),
    /// Order to read: the queue was too full, or something other than events has changed.
    Read,
    /// End of the stream, after which the log follows from the beginning: the file was replaced or closed.
    End,
}

impl FollowerQueue {
    pub(crate) fn push(&self, events: &[StoredEvent], bounds: &Bounds) {
        self.change(|state| {
            if state.must_read {
                return;
            }
            state.bytes += events.iter().map(|event| event.block.len()).sum::<usize>();
            let count = state.events.len() + events.len();
            if count > QUEUE_LIMIT.events || (state.bytes > QUEUE_LIMIT.bytes && count > 1) {
                return state.require_read();
            }
            state.events.extend(events.iter().cloned());
            state.bounds = Some(*bounds);
        });
    }

    pub(crate) fn request_read(&self) {
        self.change(State::require_read);
    }

    pub(crate) fn end(&self) {
        self.change(|state| state.has_ended = true);
    }

    /// Takes at most this many events, since the log applies them under its lock.
    pub(crate) fn poll(&self, limit: PageLimit, cx: &mut Context<'_>) -> Poll<Delivery> {
        let mut state = self.lock();
        if state.has_ended {
            return Poll::Ready(Delivery::End);
        }
        if std::mem::take(&mut state.must_read) {
            return Poll::Ready(Delivery::Read);
        }
        let Some(bounds) = state.bounds else {
            let unneeded = state.follower.replace(cx.waker().clone());
            drop(state);
            drop(unneeded);
            return Poll::Pending;
        };
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < limit.events
            && let Some(next) = state.events.front()
            && (events.is_empty() || bytes + next.block.len() <= limit.bytes)
        {
            bytes += next.block.len();
            events.extend(state.events.pop_front());
        }
        state.bytes -= bytes;
        if state.events.is_empty() {
            state.bounds = None;
        }
        Poll::Ready(Delivery::Page(Page { bounds, events }))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let follower = state.follower.take();
        drop(state);
        follower.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn require_read(&mut self) {
        let follower = self.follower.take();
        let has_ended = self.has_ended;
        *self = Self { must_read: true, has_ended, follower, ..Self::default() };
    }
}
