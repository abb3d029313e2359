use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::pin_mut;

use crate::store::StoreError;
use crate::{BoxError, Timer};

/// The shortest and the longest time to wait before a store is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The time to wait before the next attempt. It grows with each attempt and has jitter, so that many processes do not come back at once.
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

/// Waits for a call. If it takes longer than the timeout, its outcome is unknown.
pub(crate) async fn within<T>(
    timer: &Timer,
    timeout: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    pin_mut!(call);
    match select(call, timer.sleep(timeout)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            let error: BoxError = format!("no reply within {timeout:?}").into();
            Err(StoreError::OutcomeUnknown(error))
        }
    }
}
