use sse_core::{Cursor, Epoch};
use tokio_postgres::Row;

use crate::error::{Cause, Failure};

pub(crate) fn cursor(hi: i64, lo: i64) -> Cursor {
    Cursor::new(hi.unsigned_abs(), lo.unsigned_abs())
}

/// What is beyond all that Postgres counts to is after everything.
pub(crate) fn position(cursor: Cursor) -> (i64, i64) {
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    (number(cursor.hi()), number(cursor.lo()))
}

pub(crate) fn epoch(row: &Row) -> Result<Epoch, Failure> {
    row.get::<_, &str>("epoch").parse().map_err(|_| Failure::before(Cause::Epoch))
}

/// A new epoch.
pub(crate) fn new_epoch() -> Result<Epoch, Failure> {
    Epoch::random().map_err(|error| Failure::before(Cause::NoEpoch(error)))
}
