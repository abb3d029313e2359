use sse_core::store::{Appended, EncodedEvent};
use sse_core::{Epoch, Position};
use tokio_postgres::types::ToSql;

use crate::append::{self, APPEND_LAST, check_keys};
use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::{new_epoch, numbers};

/// Finishes the log.
pub(crate) async fn finish(log: &LogCore) -> Result<(), Failure> {
    let sql = "SELECT sse_log_finish($1)";
    log.query(Kind::Write, sql, &[&log.name.as_str()]).await?;
    Ok(())
}

/// Stores these events and finishes the log, once all transactions that append now have ended. The queue of appends would wait for them, too.
pub(crate) async fn finish_with(
    log: &LogCore,
    events: &[EncodedEvent],
) -> Result<Appended, Failure> {
    check_keys(events)?;
    let appended = append::append(log, APPEND_LAST, &[events]).await?;
    appended.into_iter().next().ok_or(Failure::Finished)
}

/// Deletes an event.
pub(crate) async fn delete(log: &LogCore, event: Position) -> Result<(), Failure> {
    let (hi, lo) = numbers(event);
    let sql = "SELECT sse_log_delete($1, $2, $3)";
    log.query(Kind::Write, sql, &[&log.name.as_str(), &hi, &lo]).await?;
    Ok(())
}

/// Begins a new epoch if `instead_of` is still the epoch. Returns the epoch that the log then has.
pub(crate) async fn begin_epoch(log: &LogCore, instead_of: Epoch) -> Result<Epoch, Failure> {
    let sql = "SELECT sse_log_begin_epoch($1, $2, $3)";
    let (name, epoch) = (log.name.as_str(), new_epoch()?);
    let parameters: [&(dyn ToSql + Sync); 3] = [&name, &epoch.as_str(), &instead_of.as_str()];
    let rows = log.query(Kind::Write, sql, &parameters).await?;
    let row = rows.first().ok_or_else(|| Failure::before_sending(Cause::Missing))?;
    row.get::<_, &str>(0).parse().map_err(|_| Failure::after_sending(Cause::InvalidEpoch))
}
