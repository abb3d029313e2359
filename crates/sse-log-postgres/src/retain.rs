use std::time::Duration;

use sse_core::store::Retention;

use crate::failure::Failure;
use crate::store::Shared;

/// Longer ones are for ever: Postgres counts some thousands of years back, and no further.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// A time as Postgres takes it, in seconds.
pub(crate) fn interval(time: Duration) -> f64 {
    time.min(LONGEST).as_secs_f64()
}

/// Lets go of what is over the limits: some thousands of events at a time, so that no transaction is long.
pub(crate) async fn retain(shared: &Shared, retention: &Retention) -> Result<(), Failure> {
    while retain_some(shared, retention).await? {}
    Ok(())
}

/// Whether there may be more to let go of.
async fn retain_some(shared: &Shared, retention: &Retention) -> Result<bool, Failure> {
    let sql =
        "SELECT sse_log_retain($1, $2, $3, make_interval(secs => $4), make_interval(secs => $5))";
    let events = i64::try_from(retention.events).unwrap_or(i64::MAX);
    let bytes = i64::try_from(retention.bytes).unwrap_or(i64::MAX);
    let age = retention.age.map(interval);
    let window = interval(shared.window);
    let rows = shared
        .connections
        .query(sql, &[&shared.name.as_str(), &events, &bytes, &age, &window])
        .await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}
