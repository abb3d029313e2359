use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use sse_core::Position;
use sse_core::store::{Bounds, Page, PageLimit, StoredEvent};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::{epoch, numbers, position};
use crate::subscription::Top;
use crate::topics;

const READ: &str = concat!(
    "-- Returns the bounds of the log, and its events after a position.\n",
    include_str!("sql/log.sql"),
    include_str!("sql/page.sql"),
    include_str!("sql/bounds.sql"),
);
/// Time for which a reader waits for events that are stored but not readable yet, since an older transaction still runs.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);
/// Size in bytes of the smallest page that a reader requests when larger pages take too long. It holds one event, as a rule.
const SMALLEST_PAGE: usize = 64;

/// The state of a log in one snapshot, with a page of its events.
pub(crate) struct View {
    pub(crate) page: Page,
    pub(crate) top: Top,
    /// The position up to which the page has all events that were requested; `None` if it has all that are readable.
    pub(crate) upto: Option<Position>,
    /// The `hi` below which no further event can be stored.
    below: i64,
    /// The `hi` of the newest event that is stored, readable or not.
    top_hi: Option<i64>,
    /// True if the server gives positions again that it gave before, or has lost some.
    is_restored: bool,
    is_by_lock: bool,
    /// The time of the log, in seconds since 1970.
    time: f64,
}

impl View {
    /// Returns true if events are stored that are not readable yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.top_hi.is_some_and(|top| top >= self.below)
    }

    /// Returns true if the page reaches the newest readable event.
    pub(crate) fn is_at_end(&self) -> bool {
        self.page.events.last().is_none_or(|last| last.position >= self.page.bounds.newest)
    }
}

/// Returns the events after a position. It skips no event that was stored when it was called, unless an older transaction still runs after
/// [`SETTLE`].
pub(crate) async fn read(
    log: &LogCore,
    after: Position,
    limit: PageLimit,
) -> Result<Page, Failure> {
    let view = settled(|| look(log, after, limit), View::is_at_end).await?;
    Ok(view.page)
}

/// Looks again until all events that were stored at the first look are readable, for [`SETTLE`] at most, unless the page ends before
/// them.
pub(crate) async fn settled<L>(
    look: impl Fn() -> L,
    is_at_end: fn(&View) -> bool,
) -> Result<View, Failure>
where
    L: Future<Output = Result<View, Failure>>,
{
    let (started, mut pause) = (Instant::now(), Duration::from_millis(1));
    let mut newest = None;
    loop {
        let view = look().await?;
        let newest = *newest.get_or_insert(view.top_hi);
        let is_settled = newest.is_none_or(|newest| newest < view.below);
        if is_settled || !is_at_end(&view) || started.elapsed() > SETTLE {
            return Ok(view);
        }
        sleep(pause).await;
        pause *= 2;
    }
}

/// Returns the current view. If the log is missing, was restored, or was opened with another ordering, this opens the log first.
pub(crate) async fn look(
    log: &LogCore,
    after: Position,
    limit: PageLimit,
) -> Result<View, Failure> {
    look_by(log, READ, after, limit, &[]).await
}

/// Returns the view that a statement returns: `sql` has the parameters of [`READ`], and then `more`.
pub(crate) async fn look_by(
    log: &LogCore,
    sql: &'static str,
    after: Position,
    limit: PageLimit,
    more: &[&(dyn ToSql + Sync)],
) -> Result<View, Failure> {
    let view = match look_once(log, sql, after, limit, more).await {
        Ok(view) if !view.is_restored && log.has_ordering(view.is_by_lock) => view,
        Err(failure) if !failure.is_missing() => return Err(failure),
        _ => {
            log.open().await?;
            look_once(log, sql, after, limit, more).await?
        }
    };
    log.set_clock(view.time);
    Ok(view)
}

async fn look_once(
    log: &LogCore,
    sql: &'static str,
    after: Position,
    limit: PageLimit,
    more: &[&(dyn ToSql + Sync)],
) -> Result<View, Failure> {
    let size = PageSize::new(log, limit);
    let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
    let (hi, lo) = numbers(after);
    let (name, events, bytes) = (log.name.as_str(), number(limit.events), number(size.bytes));
    let own: [&(dyn ToSql + Sync); 5] = [&name, &hi, &lo, &events, &bytes];
    let rows = log.query(Kind::Read, sql, &[&own, more].concat()).await?;
    size.arrived();
    view(&rows)
}

/// The size of a page in bytes. If a page takes too long, or its caller drops the read, as over a slow line, the next pages are half as large.
struct PageSize<'a> {
    log: &'a LogCore,
    limit: PageLimit,
    bytes: usize,
    started: Instant,
    has_arrived: bool,
}

impl<'a> PageSize<'a> {
    fn new(log: &'a LogCore, limit: PageLimit) -> Self {
        let bytes = limit.bytes.min(log.page_bytes.load(Relaxed));
        Self { log, limit, bytes, started: Instant::now(), has_arrived: false }
    }

    /// Doubles the size again if the page arrived fast.
    fn arrived(mut self) {
        self.has_arrived = true;
        let is_fast = self.started.elapsed() < self.log.options.store_timeout / 8;
        if self.bytes < self.limit.bytes && is_fast {
            self.log.page_bytes.store(self.bytes.saturating_mul(2), Relaxed);
        }
    }
}

impl Drop for PageSize<'_> {
    fn drop(&mut self) {
        let is_slow = self.started.elapsed() > self.log.options.store_timeout / 4;
        if !self.has_arrived && is_slow && self.limit.events > 0 {
            self.log.page_bytes.store((self.bytes / 2).max(SMALLEST_PAGE), Relaxed);
        }
    }
}

/// Returns true if the next page can be smaller than the last page.
pub(crate) fn can_be_smaller(log: &LogCore) -> bool {
    log.page_bytes.load(Relaxed) > SMALLEST_PAGE
}

/// Decodes the rows of `bounds.sql`: the first row has the bounds, the others are events.
fn view(rows: &[Row]) -> Result<View, Failure> {
    let (first, events) =
        rows.split_first().ok_or_else(|| Failure::before_sending(Cause::Missing))?;
    let event = |row: &Row| {
        let position = position(row.get("hi"), row.get("lo"));
        Ok(StoredEvent {
            position,
            block: Bytes::copy_from_slice(row.get("block")),
            key: row.get::<_, Option<&str>>("key").map(Into::into),
            topics: topics::of_row(position, row)?,
        })
    };
    let events = events.iter().map(event).collect::<Result<_, _>>()?;
    let bounds = bounds(first)?;
    let top_hi: Option<i64> = first.get("top_hi");
    let top = Top {
        newest: top_hi.map(|hi| position(hi, first.get("top_lo"))),
        epoch: bounds.epoch,
        is_finished: bounds.is_finished,
        deletions: bounds.deletions,
    };
    Ok(View {
        top,
        below: first.get("below"),
        top_hi,
        is_restored: first.get::<_, Option<bool>>("is_restored").unwrap_or_default(),
        is_by_lock: first.get("is_by_lock"),
        time: first.get("told"),
        upto: pair(first, "upto_hi", "upto_lo"),
        page: Page { bounds, events },
    })
}

/// Decodes a position, which may be missing.
fn pair(row: &Row, hi: &str, lo: &str) -> Option<Position> {
    Some(position(row.get::<_, Option<i64>>(hi)?, row.get(lo)))
}

/// Decodes the bounds in the first row.
fn bounds(row: &Row) -> Result<Bounds, Failure> {
    let epoch = epoch(row)?;
    let floor = position(row.get("floor_hi"), row.get("floor_lo"));
    Ok(Bounds {
        epoch,
        floor,
        oldest: pair(row, "oldest_hi", "oldest_lo"),
        newest: pair(row, "newest_hi", "newest_lo").unwrap_or_default().max(floor),
        is_finished: row.get("is_finished"),
        deletions: row.get::<_, i64>("deletions").unsigned_abs(),
    })
}
