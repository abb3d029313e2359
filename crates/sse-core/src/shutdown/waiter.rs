use std::future::poll_fn;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use super::{DRAINING, OPEN, Shutdown, State};

impl Shutdown {
    /// Counts a stream as open until this is dropped.
    pub(crate) fn open(&self) -> OpenStream {
        let mut state = self.lock();
        state.open += 1;
        let is_late = state.drained_at.is_some();
        drop(state);
        OpenStream { waiter: self.waiter(), waker: None, is_late, is_told: false }
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
    /// The waker last registered. Until the stream ends, only `begin` and `drain` wake it.
    pub(super) waker: Option<Waker>,
    /// True if it was opened while others were ending, and so ends at once.
    is_late: bool,
    /// True once it knows that it is to end within the window.
    is_told: bool,
}

/// The time at which a stream must end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Close {
    Now,
    /// At a moment of its own within this time. This is said once.
    Within(Duration),
}

impl OpenStream {
    /// Returns ready once the stream must end, or is to end within a window.
    pub(crate) fn poll_begun(&mut self, cx: &Context<'_>) -> Poll<Close> {
        match self.waiter.shutdown.phase() {
            OPEN => {}
            DRAINING if self.is_late => return Poll::Ready(Close::Now),
            DRAINING if self.is_told => {}
            DRAINING => {
                (self.is_told, self.waker) = (true, None);
                let end = self.waiter.shutdown.lock().drained_at;
                let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
                return Poll::Ready(Close::Within(rest.unwrap_or_default()));
            }
            _ => return Poll::Ready(Close::Now),
        }
        if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        let is_told = self.is_told;
        let begun =
            |state: &State| state.begun.is_some() || (state.drained_at.is_some() && !is_told);
        ready!(self.waiter.poll(cx, begun));
        // It has begun meanwhile.
        self.poll_begun(cx)
    }

    /// Returns ready once the shutdown has begun, whatever window there was before.
    pub(crate) fn poll_over(&mut self, cx: &Context<'_>) -> Poll<()> {
        while let Close::Within(_) = ready!(self.poll_begun(cx)) {}
        Poll::Ready(())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut state = self.waiter.shutdown.lock();
        state.open -= 1;
        if state.open > 0 {
            return;
        }
        if state.drained_at.is_some() && state.begun.is_none() {
            drop(state);
            return self.waiter.shutdown.begin();
        }
        let woken = state.waiting.take();
        drop(state);
        woken.wake();
    }
}
