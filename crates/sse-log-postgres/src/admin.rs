use sse_core::{Cursor, Epoch};

use crate::bounds::position;
use crate::failure::{Cause, Failure};
use crate::store::Shared;

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
