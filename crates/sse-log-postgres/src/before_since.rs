use std::time::Duration;

use sse_core::Position;
use tokio_postgres::types::ToSql;

use crate::bounds;
use crate::clock::interval;
use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::position;

const BEFORE_SINCE: &str = include_str!("sql/before_since.sql");

/// Returns a position before all readable events that were stored within this time, by the clock of the log.
pub(crate) async fn before_since(log: &LogCore, age: Duration) -> Result<Position, Failure> {
    bounds::ensure_open(log).await?;
    let missing = || Failure::before_sending(Cause::Missing);
    let since = log.now().ok_or_else(missing)? - interval(age);
    let parameters: [&(dyn ToSql + Sync); 2] = [&log.name.as_str(), &since];
    let rows = log.query(Kind::Read, BEFORE_SINCE, &parameters).await?;
    let row = rows.first().ok_or_else(missing)?;
    Ok(position(row.get("hi"), row.get("lo")))
}
