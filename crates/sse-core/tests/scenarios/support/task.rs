use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::support::wakes::Wakes;

/// Something that is polled when it is woken.
pub(crate) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    wakes: Arc<Wakes>,
    is_woken: bool,
}

impl<T> Task<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Box::pin(future), wakes: Wakes::new(), is_woken: true }
    }

    /// Its result; and whether it was polled.
    pub(crate) fn poll(&mut self) -> (Option<T>, bool) {
        self.is_woken |= self.wakes.take() > 0;
        if !std::mem::take(&mut self.is_woken) {
            return (None, false);
        }
        let waker = self.wakes.waker();
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => (Some(result), true),
            Poll::Pending => (None, true),
        }
    }
}
