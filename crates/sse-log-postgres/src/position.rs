use sse_core::{Epoch, Position};
use tokio_postgres::Row;

use crate::error::{Cause, Failure};

/// Returns the position of these two numbers of a row.
pub(crate) fn position(hi: i64, lo: i64) -> Position {
    Position::new(hi.unsigned_abs(), lo.unsigned_abs())
}

/// Returns the two numbers of a position. If a number is larger than any `bigint`, it becomes the largest `bigint`, which is after
/// all events.
pub(crate) fn numbers(position: Position) -> (i64, i64) {
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    (number(position.hi()), number(position.lo()))
}

/// Parses the epoch in a row.
pub(crate) fn epoch(row: &Row) -> Result<Epoch, Failure> {
    row.get::<_, &str>("epoch").parse().map_err(|_| Failure::before_sending(Cause::InvalidEpoch))
}

/// Draws a new epoch.
pub(crate) fn new_epoch() -> Result<Epoch, Failure> {
    Epoch::random().map_err(|error| Failure::before_sending(Cause::NoEpoch(error)))
}
