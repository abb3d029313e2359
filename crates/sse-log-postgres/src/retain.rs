use std::time::Duration;

use sse_core::store::Retention;
use tokio_postgres::types::ToSql;

use crate::bounds;
use crate::clock::interval;
use crate::core::{Kind, LogCore};
use crate::error::Failure;

const RETAIN: &str = "SELECT sse_log_let_go($1, $2, $3, make_interval(secs => $4), $5, make_interval(secs => $6), to_timestamp($7), 5000, true)";

/// The times of the two oldest events, by the clock of the log.
const OLDEST: &str = include_str!("sql/oldest.sql");

/// Drops events that are over the limits, 5 000 at a time, so that no transaction is long. Returns the time after which the oldest event is
/// too old.
pub(crate) async fn retain(
    log: &LogCore,
    retention: &Retention,
) -> Result<Option<Duration>, Failure> {
    bounds::ensure_open(log).await?;
    while drop_some(log, retention).await? {}
    let (Some(age), Some(now)) = (retention.age, log.now()) else { return Ok(None) };
    let rows = log.query(Kind::Read, OLDEST, &[&log.name.as_str()]).await?;
    // The newest event never becomes too old.
    let [oldest, _] = &rows[..] else { return Ok(None) };
    let left = interval(age) - (now - oldest.get::<_, f64>(0));
    Ok(Some(Duration::try_from_secs_f64(left).unwrap_or_default()))
}

/// Drops some events. Returns true if more may be over the limits.
async fn drop_some(log: &LogCore, retention: &Retention) -> Result<bool, Failure> {
    let (events, bytes) = limits(retention);
    let age = retention.age.map(interval);
    let window = interval(log.options.idempotency_window);
    let now = log.now();
    let name = log.name.as_str();
    // The limit of idempotency keys comes from the store's options, not from this retention.
    let (keys, _) = limits(&log.options.retention());
    let parameters: [&(dyn ToSql + Sync); 7] = [&name, &events, &bytes, &age, &keys, &window, &now];
    let rows = log.query(Kind::Write, RETAIN, &parameters).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Converts the limits of events and of bytes to the numbers of Postgres.
pub(crate) fn limits(retention: &Retention) -> (i64, i64) {
    let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
    (number(retention.events), number(retention.bytes))
}
