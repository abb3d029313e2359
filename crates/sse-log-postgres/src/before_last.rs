use std::time::Duration;

use sse_core::Position;
use sse_core::store::PageLimit;
use tokio::time::{Instant, sleep};
use tokio_postgres::types::ToSql;

use crate::bounds;
use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::position;
use crate::read::SETTLE;

const BEFORE_LAST: &str = include_str!("sql/before_last.sql");

/// Returns the position before the newest events that fit the limit. It counts all events that were stored when it was called, unless an older
/// transaction still runs after [`SETTLE`].
pub(crate) async fn before_last(log: &LogCore, limit: PageLimit) -> Result<Position, Failure> {
    if limit.events == 0 {
        return Ok(bounds::bounds(log).await?.newest);
    }
    bounds::ensure_open(log).await?;
    let [events, bytes] = [limit.events, limit.bytes].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let parameters: [&(dyn ToSql + Sync); 3] = [&log.name.as_str(), &events, &bytes];
    let (started, mut pause) = (Instant::now(), Duration::from_millis(1));
    let mut newest = None;
    loop {
        let rows = log.query(Kind::Read, BEFORE_LAST, &parameters).await?;
        let row = rows.first().ok_or_else(|| Failure::before_sending(Cause::Missing))?;
        let (top, below) = (row.get::<_, Option<i64>>("top_hi"), row.get::<_, i64>("below"));
        let newest = *newest.get_or_insert(top);
        if newest.is_none_or(|newest| newest < below) || started.elapsed() > SETTLE {
            return Ok(position(row.get("hi"), row.get("lo")));
        }
        sleep(pause).await;
        pause *= 2;
    }
}
