//! Codec of positions and epochs: between the types of `sse_core` and the values in the tables.

use sse_core::store::LogName;
use sse_core::{Cursor, Epoch};

use crate::error::Failure;

/// Returns the position of a cursor. A position here is one number of 64 bits, so a cursor with a high half is after all positions.
pub(crate) fn position(cursor: Cursor) -> u64 {
    if cursor.hi() == 0 { cursor.lo() } else { u64::MAX }
}

/// Returns a new random epoch.
pub(crate) fn new_epoch() -> Result<Epoch, Failure> {
    Epoch::random().map_err(|error| Failure::Refused(error.to_string()))
}

/// Returns the epoch that the file stores for a log.
pub(crate) fn stored_epoch(epoch: &str, log: &LogName) -> Result<Epoch, Failure> {
    epoch.parse().map_err(|_| {
        redb::Error::Corrupted(format!("the stored epoch {epoch:?} of the log {log} is invalid"))
            .into()
    })
}
