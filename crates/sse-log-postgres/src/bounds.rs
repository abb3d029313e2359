use sse_core::store::{Bounds, PageLimit};
use sse_core::{Cursor, Epoch};
use tokio_postgres::Row;

use crate::failure::{Cause, Failure};
use crate::log::Log;
use crate::read;

pub(crate) async fn bounds(log: &Log) -> Result<Bounds, Failure> {
    let none = PageLimit { events: 0, bytes: 0 };
    Ok(read::read(log, Cursor::MAX, none).await?.bounds)
}

/// What the first row says that is read of a log.
pub(crate) fn of_row(row: &Row) -> Result<Bounds, Failure> {
    let pair = |hi, lo| Some(cursor(row.get::<_, Option<i64>>(hi)?, row.get(lo)));
    let epoch = epoch(row)?;
    let floor = cursor(row.get("floor_hi"), row.get("floor_lo"));
    Ok(Bounds {
        epoch,
        floor,
        oldest: pair("oldest_hi", "oldest_lo"),
        newest: pair("newest_hi", "newest_lo").unwrap_or_default().max(floor),
        is_finished: row.get("is_finished"),
        deletions: row.get::<_, i64>("deletions").unsigned_abs(),
    })
}

pub(crate) fn epoch(row: &Row) -> Result<Epoch, Failure> {
    row.get::<_, &str>("epoch").parse().map_err(|_| Failure::before(Cause::Epoch))
}

pub(crate) fn cursor(hi: i64, lo: i64) -> Cursor {
    Cursor::new(hi.unsigned_abs(), lo.unsigned_abs())
}

/// What is beyond all that Postgres counts to is after everything.
pub(crate) fn position(cursor: Cursor) -> (i64, i64) {
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    (number(cursor.hi()), number(cursor.lo()))
}
