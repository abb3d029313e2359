use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, StoredEvent};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::{Kind, LogCore};
use crate::error::{Cause, Failure};
use crate::position::{cursor, epoch, position};
use crate::subscription::Top;

const READ: &str = include_str!("sql/read.sql");
/// How long a reader waits for events that are stored, and cannot be read yet since transactions from before them still run.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);
/// The smallest page that is asked for where larger ones take too long: that is one event, as a rule.
const SMALLEST: usize = 64;

/// What is seen of a log at a moment.
pub(crate) struct View {
    pub(crate) page: Page,
    pub(crate) top: Top,
    /// Below this `hi` nothing comes any more.
    below: i64,
    /// The `hi` of the newest event that is stored, readable or not.
    top_hi: Option<i64>,
    /// The server gives positions again that it gave already, or has lost some.
    is_restored: bool,
    is_by_lock: bool,
    /// The time of the log.
    told: f64,
}

impl View {
    /// Whether events are stored that cannot be read yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.top_hi.is_some_and(|top| top >= self.below)
    }

    /// Whether it reaches to the newest that can be read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.page.events.last().is_none_or(|last| last.cursor >= self.page.bounds.newest)
    }
}

/// The events after a cursor. Those that were stored by now are among them, unless a transaction from before them runs on.
pub(crate) async fn read(log: &LogCore, after: Cursor, limit: PageLimit) -> Result<Page, Failure> {
    let (begun, mut pause) = (Instant::now(), Duration::from_millis(1));
    let mut wanted = None;
    loop {
        let view = look(log, after, limit).await?;
        let wanted = *wanted.get_or_insert(view.top_hi);
        let is_settled = wanted.is_none_or(|wanted| wanted < view.below);
        if is_settled || !view.is_at_end() || begun.elapsed() > SETTLE {
            return Ok(view.page);
        }
        sleep(pause).await;
        pause *= 2;
    }
}

/// What there is now. A log that is missing, whose history has gone back, or that was opened with another ordering is put right first.
pub(crate) async fn look(log: &LogCore, after: Cursor, limit: PageLimit) -> Result<View, Failure> {
    let view = match look_once(log, after, limit).await {
        Ok(view) if !view.is_restored && log.is_in_order(view.is_by_lock) => view,
        Err(failure) if !failure.is_missing() => return Err(failure),
        _ => {
            log.begin().await?;
            look_once(log, after, limit).await?
        }
    };
    log.set_clock(view.told);
    Ok(view)
}

async fn look_once(log: &LogCore, after: Cursor, limit: PageLimit) -> Result<View, Failure> {
    let size = Size::new(log, limit);
    let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
    let (hi, lo) = position(after);
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&log.name.as_str(), &hi, &lo, &number(limit.events), &number(size.bytes)];
    let rows = log.query(Kind::Read, READ, &parameters).await?;
    size.came();
    view(&rows)
}

/// The size of a page. Over a slow line one may take too long, or as long as somebody waits for it: the next ones are half as large.
struct Size<'a> {
    log: &'a LogCore,
    limit: PageLimit,
    bytes: usize,
    begun: Instant,
    has_come: bool,
}

impl<'a> Size<'a> {
    fn new(log: &'a LogCore, limit: PageLimit) -> Self {
        let bytes = limit.bytes.min(log.page_bytes.load(Relaxed));
        Self { log, limit, bytes, begun: Instant::now(), has_come: false }
    }

    fn came(mut self) {
        self.has_come = true;
        let is_fast = self.begun.elapsed() < self.log.options.store_timeout / 8;
        if self.bytes < self.limit.bytes && is_fast {
            self.log.page_bytes.store(self.bytes.saturating_mul(2), Relaxed);
        }
    }
}

impl Drop for Size<'_> {
    fn drop(&mut self) {
        let is_slow = self.begun.elapsed() > self.log.options.store_timeout / 4;
        if !self.has_come && is_slow && self.limit.events > 0 {
            self.log.page_bytes.store((self.bytes / 2).max(SMALLEST), Relaxed);
        }
    }
}

/// Whether a smaller page could be asked for than the last one.
pub(crate) fn can_be_smaller(log: &LogCore) -> bool {
    log.page_bytes.load(Relaxed) > SMALLEST
}

/// The first row is the bounds, the others are events.
fn view(rows: &[Row]) -> Result<View, Failure> {
    let (first, events) = rows.split_first().ok_or_else(|| Failure::before(Cause::Missing))?;
    let events = events.iter().map(|row| StoredEvent {
        cursor: cursor(row.get("hi"), row.get("lo")),
        block: Bytes::copy_from_slice(row.get("block")),
        key: row.get::<_, Option<&str>>("key").map(Into::into),
    });
    let bounds = bounds(first)?;
    let top_hi: Option<i64> = first.get("top_hi");
    let top = Top {
        newest: top_hi.map(|hi| cursor(hi, first.get("top_lo"))),
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
        told: first.get("told"),
        page: Page { bounds, events: events.collect() },
    })
}

/// What the first row says that is read of a log.
fn bounds(row: &Row) -> Result<Bounds, Failure> {
    let pair = |hi, lo| Some(cursor(row.get::<_, Option<i64>>(hi)?, row.get(lo)));
    let epoch = epoch(row)?;
    let floor = cursor(row.get("floor_hi"), row.get("floor_lo"));
    Ok(Bounds {
        epoch,
        floor,
        oldest: pair("oldest_hi", "oldest_lo"),
        newest: pair("newest_hi", "newest_lo").unwrap_or_default().max(floor),
        is_finished: row.get("is_finished"),
        deletions: row.get::<_, i64>("deletions").unsigned_abs(),
    })
}
