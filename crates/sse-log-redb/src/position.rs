//! Codec of positions and epochs: between the types of `sse_core` and the values in the tables.

use sse_core::store::LogName;
use sse_core::{Epoch, Position};

use crate::error::Failure;

/// Returns a position as the tables have it: one number of 64 bits, so a position with a high half is after all positions.
pub(crate) fn number(position: Position) -> u64 {
    if position.hi() == 0 { position.lo() } else { u64::MAX }
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
