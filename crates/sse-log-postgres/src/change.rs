use sse_core::store::Retention;
use sse_core::{Cursor, Epoch};

use crate::failure::{Cause, Failure};
use crate::read::position;
use crate::store::Shared;

/// Whether there may be more to let go of.
pub(crate) async fn retain(shared: &Shared, retention: &Retention) -> Result<bool, Failure> {
    let sql =
        "SELECT sse_log_retain($1, $2, $3, make_interval(secs => $4), make_interval(secs => $5))";
    let events = i64::try_from(retention.events).unwrap_or(i64::MAX);
    let bytes = i64::try_from(retention.bytes).unwrap_or(i64::MAX);
    let age = retention.age.map(|age| age.as_secs_f64());
    let window = shared.window.as_secs_f64();
    let rows = shared
        .connections
        .query(sql, &[&shared.name.as_str(), &events, &bytes, &age, &window])
        .await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

pub(crate) async fn finish(shared: &Shared) -> Result<(), Failure> {
    let sql = "SELECT sse_log_finish($1)";
    shared.connections.query(sql, &[&shared.name.as_str()]).await?;
    Ok(())
}

pub(crate) async fn delete(shared: &Shared, event: Cursor) -> Result<(), Failure> {
    let (hi, lo) = position(event);
    let sql = "SELECT sse_log_delete($1, $2, $3)";
    shared.connections.query(sql, &[&shared.name.as_str(), &hi, &lo]).await?;
    Ok(())
}

pub(crate) async fn begin_epoch(shared: &Shared, instead_of: Epoch) -> Result<Epoch, Failure> {
    let sql = "UPDATE sse_logs SET epoch = $2 WHERE log = $1 AND epoch = $3";
    let (name, epoch) = (shared.name.as_str(), Epoch::random());
    shared.connections.query(sql, &[&name, &epoch.as_str(), &instead_of.as_str()]).await?;
    let rows =
        shared.connections.query("SELECT epoch FROM sse_logs WHERE log = $1", &[&name]).await?;
    let row = rows.first().ok_or_else(|| Failure::before(Cause::Missing))?;
    row.get::<_, &str>(0).parse().map_err(|_| Failure::before(Cause::Epoch))
}
