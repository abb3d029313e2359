use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::pin_mut;

use crate::store::StoreError;
use crate::{BoxError, Timer};

/// How long one waits before a store is tried again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// Longer from time to time, and spread out, so that many processes do not come back at once.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(BACKOFF.0)
    }

    pub(crate) async fn wait(&mut self, timer: &Timer) {
        timer.sleep(self.0.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        self.0 = (self.0 * 2).min(BACKOFF.1);
    }
}

/// A call, which has an unknown outcome once it takes too long.
pub(crate) async fn within<T>(
    timer: &Timer,
    timeout: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    pin_mut!(call);
    match select(call, timer.sleep(timeout)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            let error: BoxError = format!("no answer within {timeout:?}").into();
            Err(StoreError::OutcomeUnknown(error))
        }
    }
}
