use sse_core::store::Retention;

use crate::clock::interval;
use crate::failure::Failure;
use crate::log::{Kind, Log};
use crate::{append, bounds};

const RETAIN: &str = "SELECT sse_log_let_go($1, $2, $3, make_interval(secs => $4), make_interval(secs => $5), to_timestamp($6), 5000, true)";

/// Lets go of what is over the limits: some thousands of events at a time, so that no transaction is long.
pub(crate) async fn retain(log: &Log, retention: &Retention) -> Result<(), Failure> {
    if log.now().is_none() {
        bounds::bounds(log).await?;
    }
    while retain_some(log, retention).await? {}
    Ok(())
}

/// Whether there may be more to let go of.
async fn retain_some(log: &Log, retention: &Retention) -> Result<bool, Failure> {
    let (events, bytes) = append::limits(retention);
    let age = retention.age.map(interval);
    let window = interval(log.options.idempotency_window);
    let now = log.now();
    let name = log.name.as_str();
    let rows =
        log.query(Kind::Write, RETAIN, &[&name, &events, &bytes, &age, &window, &now]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}
