use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::sync::wakers::{Wakers, wake_all};
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// The state that the contexts of a stream share with the stream.
#[derive(Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Default)]
pub(crate) struct State {
    pub(super) buffer: BytesMut,
    pub(super) contexts: usize,
    is_closed: bool,
    is_left: bool,
    /// The waker of the stream, which waits for something to send.
    stream: Option<Waker>,
    /// The contexts that wait for room or for the end.
    pub(super) senders: Wakers,
}

/// The receiving end of the stream.
pub(crate) struct Receiver(pub(super) Arc<Shared>);

impl Receiver {
    /// Returns all that was sent since the last call, in one piece; `None` after the last.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.0.lock();
        if state.buffer.is_empty() {
            if state.is_closed {
                return Poll::Ready(None);
            }
            let unneeded = state.stream.replace(cx.waker().clone());
            drop(state);
            drop(unneeded);
            return Poll::Pending;
        }
        let bytes = state.buffer.split().freeze();
        let woken = state.senders.take();
        drop(state);
        woken.wake();
        Poll::Ready(Some(bytes))
    }

    /// Ends the stream, once all that was sent has gone out.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl State {
    pub(super) fn is_over(&self) -> bool {
        self.is_closed || self.is_left
    }
}

impl Shared {
    pub(super) fn with_one_context() -> Self {
        Self(Mutex::new(State { contexts: 1, ..State::default() }))
    }

    /// Ends the stream, once all that was sent has gone out, and wakes every waiter: the stream may not be read for long.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let (stream, senders) = (state.stream.take(), state.senders.take());
        drop(state);
        wake_all(stream);
        senders.wake();
    }

    pub(super) fn wake_stream(&self) {
        let stream = self.lock().stream.take();
        stream.into_iter().for_each(Waker::wake);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_left = true;
        // The application may keep a context for long. It must hold neither this client's bytes nor its task.
        let freed = (std::mem::take(&mut state.buffer), state.stream.take());
        let woken = state.senders.take();
        drop(state);
        drop(freed);
        woken.wake();
    }
}
