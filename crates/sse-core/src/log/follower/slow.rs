use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::Timer;
use crate::log::retry::within;
use crate::store::StoreError;

/// The most doublings of the time that a read may take.
const SLOWEST: u32 = 4;

/// The measured slowness of the connection to the store: after a read that took too long, the next attempt has twice the time.
#[derive(Default)]
pub(crate) struct Slow(AtomicU32);

impl Slow {
    /// Waits for a read, which fails if it takes too long.
    pub(crate) async fn within<T>(
        &self,
        timer: &Timer,
        usual: Duration,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let slow = self.0.load(Ordering::Relaxed);
        let (begun, timeout) = (timer.now(), usual * 2_u32.pow(slow));
        let read = within(timer, timeout, read).await;
        let took = timer.now().saturating_duration_since(begun);
        let now = match &read {
            Ok(_) if took <= usual => 0,
            Err(_) if took >= timeout => SLOWEST.min(slow + 1),
            _ => slow,
        };
        // If several reads run at the same time, the first that ends counts.
        _ = self.0.compare_exchange(slow, now, Ordering::Relaxed, Ordering::Relaxed);
        read.map_err(certain)
    }
}

/// Turns an unknown outcome into a failure, because these calls change no event.
pub(crate) fn certain(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(error) => StoreError::Failed(error),
        error => error,
    }
}
