use std::time::Duration;

use bytes::Bytes;
use sse_core::Cursor;
use sse_core::store::{Page, PageLimit, StoredEvent};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::bounds::{self, cursor, position};
use crate::failure::{Cause, Failure};
use crate::store::Shared;

const READ: &str = include_str!("sql/read.sql");
const BEFORE_LAST: &str = include_str!("sql/before_last.sql");
/// How long a reader waits for events that are stored, and cannot be read yet since transactions from before them still run.
const SETTLE: Duration = Duration::from_millis(100);

/// What is seen of a log at a moment.
pub(crate) struct View {
    pub(crate) page: Page,
    /// Below this `hi` nothing comes any more.
    below: i64,
    /// The `hi` of the newest event that is stored, readable or not.
    top: Option<i64>,
    /// The server gives positions again that it gave already.
    is_restored: bool,
}

impl View {
    /// Whether events are stored that cannot be read yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.top.is_some_and(|top| top >= self.below)
    }

    /// Whether it reaches to the newest that can be read.
    fn is_at_end(&self) -> bool {
        self.page.events.last().is_none_or(|last| last.cursor >= self.page.bounds.newest)
    }
}

/// The events after a cursor. Those that were stored by now are among them, unless a transaction from before them runs on.
pub(crate) async fn read(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> Result<Page, Failure> {
    let (begun, mut pause) = (Instant::now(), Duration::from_millis(1));
    let mut wanted = None;
    loop {
        let view = look(shared, after, limit).await?;
        let wanted = *wanted.get_or_insert(view.top);
        let is_settled = wanted.is_none_or(|wanted| wanted < view.below);
        if is_settled || !view.is_at_end() || begun.elapsed() > SETTLE {
            return Ok(view.page);
        }
        sleep(pause).await;
        pause *= 2;
    }
}

async fn look(shared: &Shared, after: Cursor, limit: PageLimit) -> Result<View, Failure> {
    let question = Question::new(shared, after, limit);
    let look = async || match shared.connections.query(READ, &question.parameters()).await {
        Ok(rows) => view(&rows),
        Err(failure) => Err(failure),
    };
    match look().await {
        Ok(view) if view.is_restored => {}
        Err(failure) if failure.is_missing() => {}
        view => return view,
    }
    shared.connections.begin().await?;
    look().await
}

/// What to read, as Postgres takes it.
pub(crate) struct Question<'a> {
    name: &'a str,
    after: (i64, i64),
    limit: (i64, i64),
}

impl<'a> Question<'a> {
    pub(crate) const SQL: &'static str = READ;

    pub(crate) fn new(shared: &'a Shared, after: Cursor, limit: PageLimit) -> Self {
        let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
        let limit = (number(limit.events), number(limit.bytes));
        Self { name: shared.name.as_str(), after: position(after), limit }
    }

    pub(crate) fn parameters(&self) -> [&(dyn ToSql + Sync); 5] {
        [&self.name, &self.after.0, &self.after.1, &self.limit.0, &self.limit.1]
    }
}

/// The first row is the bounds, the others are events.
pub(crate) fn view(rows: &[Row]) -> Result<View, Failure> {
    let (first, events) = rows.split_first().ok_or_else(|| Failure::before(Cause::Missing))?;
    let events = events.iter().map(|row| StoredEvent {
        cursor: cursor(row.get("hi"), row.get("lo")),
        block: Bytes::copy_from_slice(row.get("block")),
        key: row.get::<_, Option<&str>>("key").map(Into::into),
    });
    Ok(View {
        below: first.get("below"),
        top: first.get("top_hi"),
        is_restored: first.get::<_, Option<bool>>("is_restored").unwrap_or_default(),
        page: Page { bounds: bounds::of_row(first)?, events: events.collect() },
    })
}

pub(crate) async fn before_last(shared: &Shared, limit: PageLimit) -> Result<Cursor, Failure> {
    // What was stored by now is counted.
    bounds::bounds(shared).await?;
    let [events, bytes] = [limit.events, limit.bytes].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let parameters: [&(dyn ToSql + Sync); 3] = [&shared.name.as_str(), &events, &bytes];
    let rows = shared.connections.query(BEFORE_LAST, &parameters).await?;
    let row = rows.first().ok_or_else(|| Failure::before(Cause::Missing))?;
    Ok(cursor(row.get(0), row.get(1)))
}
