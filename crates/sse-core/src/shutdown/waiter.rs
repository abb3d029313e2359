use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::{Shutdown, State};

impl Shutdown {
    /// Counts a stream as open until this is dropped.
    pub(crate) fn open(&self) -> OpenStream {
        self.lock().open += 1;
        OpenStream { waiter: self.waiter(), waker: None }
    }

    pub(super) async fn until(&self, condition: impl Fn(&State) -> bool) {
        let waiter = self.waiter();
        poll_fn(|cx| waiter.poll(cx, &condition)).await;
    }

    fn waiter(&self) -> Waiter {
        let key = self.lock().waiting.insert();
        Waiter { shutdown: self.clone(), key }
    }
}

/// A waiter for a change of the state.
struct Waiter {
    shutdown: Shutdown,
    key: usize,
}

impl Waiter {
    pub(super) fn poll(&self, cx: &Context<'_>, condition: impl Fn(&State) -> bool) -> Poll<()> {
        let mut state = self.shutdown.lock();
        if condition(&state) {
            return Poll::Ready(());
        }
        let unneeded = state.waiting.wait(self.key, cx.waker());
        drop(state);
        drop(unneeded);
        Poll::Pending
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let unneeded = self.shutdown.lock().waiting.remove(self.key);
        drop(unneeded);
    }
}

/// One open stream.
pub(crate) struct OpenStream {
    waiter: Waiter,
    /// The waker last registered. Until the stream ends, only `begin` wakes it.
    pub(super) waker: Option<Waker>,
}

impl OpenStream {
    /// Returns ready once the stream must end.
    pub(crate) fn poll_begun(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.waiter.shutdown.has_begun() {
            return Poll::Ready(());
        }
        if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        self.waiter.poll(cx, |state| state.begun.is_some())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut state = self.waiter.shutdown.lock();
        state.open -= 1;
        if state.open > 0 {
            return;
        }
        let woken = state.waiting.take();
        drop(state);
        woken.wake();
    }
}
