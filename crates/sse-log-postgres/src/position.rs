use sse_core::{Cursor, Epoch};
use tokio_postgres::Row;

use crate::error::{Cause, Failure};

/// Converts a position in Postgres to a cursor.
pub(crate) fn cursor(hi: i64, lo: i64) -> Cursor {
    Cursor::new(hi.unsigned_abs(), lo.unsigned_abs())
}

/// Converts a cursor to a position in Postgres. If a number is larger than any `bigint`, it becomes the largest `bigint`, which is after
/// all events.
pub(crate) fn position(cursor: Cursor) -> (i64, i64) {
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    (number(cursor.hi()), number(cursor.lo()))
}

/// Parses the epoch in a row.
pub(crate) fn epoch(row: &Row) -> Result<Epoch, Failure> {
    row.get::<_, &str>("epoch").parse().map_err(|_| Failure::before_sending(Cause::InvalidEpoch))
}

/// Draws a new epoch.
pub(crate) fn new_epoch() -> Result<Epoch, Failure> {
    Epoch::random().map_err(|error| Failure::before_sending(Cause::NoEpoch(error)))
}
