use std::ops::ControlFlow::Break;
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable};
use sse_core::store::Retention;

use crate::clock::millis;
use crate::error::Failure;
use crate::events;
use crate::idempotency::Expiry;
use crate::log_tables::LogTables;
use crate::open_logs::OpenLog;
use crate::tables::{Head, LogView, once_order};

/// Largest number of events and bytes that a transaction drops: 4096 events and 16 MiB. Appends wait for that transaction.
const BATCH_LIMIT: (usize, usize) = (4096, 16 * 1024 * 1024);

/// Tells whether a log is over its limits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// The log holds events over the limits, or expired idempotency keys.
    IsOver,
    /// The log is within its limits. After this time its oldest event is too old, unless it is also the newest.
    IsWithin(Option<Duration>),
}

pub(crate) fn check(
    txn: &ReadTransaction,
    open_log: &OpenLog,
    retention: &Retention,
    expiry: Expiry,
) -> Result<Check, Failure> {
    let log = LogView::open(txn, &open_log.name, &open_log.tables)?;
    let now = expiry.time.now;
    let stored = events::for_each(log.events.iter()?, log.head.floor, |event| Break(event.stored))?;
    if stored.is_some_and(|stored| is_oldest_over(&log.head, stored, retention, now)) {
        return Ok(Check::IsOver);
    }
    if let Some(order) = once_order(txn, &open_log.tables)?
        && order.first()?.is_some_and(|(_, once)| expiry.is_expired(once.value().0))
    {
        return Ok(Check::IsOver);
    }
    // A millisecond later it is older than the age.
    let left =
        |(stored, age)| millis(age).saturating_add(1).saturating_sub(now.saturating_sub(stored));
    let grows_old = stored.zip(retention.age).filter(|_| log.head.events > 1).map(left);
    Ok(Check::IsWithin(grows_old.map(Duration::from_millis)))
}

/// Drops the oldest events over the limits, and expired idempotency keys. Returns true if more may be over the limits.
pub(crate) fn retain(
    log: &mut LogTables<'_>,
    retention: &Retention,
    expiry: Expiry,
) -> Result<bool, Failure> {
    if drop_oldest(log, retention, BATCH_LIMIT)? {
        return Ok(true);
    }
    for _ in 0..BATCH_LIMIT.0 {
        if !log.idempotency_keys()?.forget_if_expired(expiry)? {
            return Ok(false);
        }
        log.has_removed_keys = true;
    }
    Ok(true)
}

/// Drops events over the limits in an append's own transaction: at most twice as many as the append adds. So a log far over its limits shrinks, and an
/// append costs at most three times its own work.
pub(crate) fn after_append(log: &mut LogTables<'_>) -> Result<(), Failure> {
    if let Some(retention) = log.retention
        && log.added > 0
    {
        drop_oldest(log, &retention, (2 * log.added, usize::MAX))?;
    }
    Ok(())
}

/// Drops the oldest events over the limits. Returns true if more may be over the limits.
fn drop_oldest(
    log: &mut LogTables<'_>,
    retention: &Retention,
    (events, bytes): (usize, usize),
) -> Result<bool, Failure> {
    let (before, now) = (log.head, log.time.now);
    let mut are_more = false;
    log.drop_oldest_while(|head, stored| {
        are_more = is_oldest_over(head, stored, retention, now);
        let has_room = before.events - head.events < events as u64
            && before.bytes.saturating_sub(head.bytes) < bytes as u64;
        are_more && has_room
    })?;
    log.forget_dropped_topics(before.events.saturating_sub(log.head.events))?;
    Ok(are_more)
}

/// Returns true if the oldest event, stored at this time, is over the limits. The newest event is never over them.
fn is_oldest_over(head: &Head, stored: u64, retention: &Retention, now: u64) -> bool {
    let is_old = |age| now.saturating_sub(stored) > millis(age);
    head.events > 1
        && (head.events > retention.events as u64
            || head.bytes > retention.bytes as u64
            || retention.age.is_some_and(is_old))
}
