//! Positions and epochs: conversion between the types of `sse_core` and what the tables hold.

use sse_core::store::LogName;
use sse_core::{Cursor, Epoch};

use crate::error::Failure;

/// Returns the position that a cursor stands for: events here have one number, so a cursor with a high half is after all of them.
pub(crate) fn position(cursor: Cursor) -> u64 {
    if cursor.hi() == 0 { cursor.lo() } else { u64::MAX }
}

/// Returns a new random epoch.
pub(crate) fn new_epoch() -> Result<Epoch, Failure> {
    Epoch::random().map_err(|error| Failure::Refused(error.to_string()))
}

/// Parses the epoch that the file holds for a log.
pub(crate) fn stored_epoch(epoch: &str, log: &LogName) -> Result<Epoch, Failure> {
    epoch.parse().map_err(|_| {
        redb::Error::Corrupted(format!("{epoch:?} is no epoch of the log {log}")).into()
    })
}
