use std::sync::atomic::{AtomicU32, Ordering};

use crate::Cursor;
use crate::log::follow::Follow;
use crate::log::patience::within;
use crate::store::{Page, PageLimit, StoreError};

/// How much longer than usual a read may take at the most, as a power of two.
const SLOWEST: u32 = 4;

/// How slow the line to the store is found to be: what takes too long for one read is given twice the time at the next attempt.
#[derive(Default)]
pub(super) struct Slow(AtomicU32);

impl Follow {
    /// Reads a page, or fails once that takes too long.
    pub(super) async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        let slow = self.slow.0.load(Ordering::Relaxed);
        let (begun, timeout) = (self.timer.now(), self.timeout * 2_u32.pow(slow));
        let page = within(&self.timer, timeout, self.store.read(after, limit)).await;
        let took = self.timer.now().saturating_duration_since(begun);
        let now = match &page {
            Ok(_) if took <= self.timeout => 0,
            Err(_) if took >= timeout => SLOWEST.min(slow + 1),
            _ => slow,
        };
        // Of several at the same time the first says it.
        _ = self.slow.0.compare_exchange(slow, now, Ordering::Relaxed, Ordering::Relaxed);
        page.map_err(certain)
    }
}

/// What is asked for here changes no event: it has failed where it is not known.
pub(super) fn certain(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(error) => StoreError::Failed(error),
        error => error,
    }
}
