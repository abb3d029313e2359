use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::Timer;
use crate::log::retry::within;
use crate::store::StoreError;

/// How much longer than usual a read may take at the most, as a power of two.
const SLOWEST: u32 = 4;

/// How slow the line to the store is found to be: what takes too long for one read is given twice the time at the next attempt.
#[derive(Default)]
pub(crate) struct Slow(AtomicU32);

impl Slow {
    /// Waits for a read, which fails once it takes too long.
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
        // Of several at the same time the first says it.
        _ = self.0.compare_exchange(slow, now, Ordering::Relaxed, Ordering::Relaxed);
        read.map_err(certain)
    }
}

/// What is asked for here changes no event: it has failed where it is not known.
pub(crate) fn certain(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(error) => StoreError::Failed(error),
        error => error,
    }
}
