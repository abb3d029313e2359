use std::ops::ControlFlow::Break;

use redb::{ReadTransaction, ReadableTable};
use sse_core::store::Retention;

use crate::clock::millis;
use crate::error::Failure;
use crate::events;
use crate::idempotency::Expiry;
use crate::log_tables::LogTables;
use crate::open_logs::OpenLog;
use crate::tables::{Head, LogView, once_order};

/// How much one transaction drops, in events and in bytes: appends wait for it.
const BATCH_LIMIT: (usize, usize) = (4096, 16 * 1024 * 1024);

/// Whether there is anything to drop.
pub(crate) fn is_over_limits(
    txn: &ReadTransaction,
    open_log: &OpenLog,
    retention: &Retention,
    expiry: Expiry,
) -> Result<bool, Failure> {
    let log = LogView::open(txn, &open_log.name, &open_log.tables)?;
    let stored = events::for_each(log.events.iter()?, log.head.floor, |event| Break(event.stored))?;
    if stored.is_some_and(|stored| is_oldest_over(&log.head, stored, retention, expiry.time.now)) {
        return Ok(true);
    }
    let Some(order) = once_order(txn, &open_log.tables)? else { return Ok(false) };
    Ok(order.first()?.is_some_and(|(_, once)| expiry.is_expired(once.value().0)))
}

/// Drops the oldest events that are over the limits, and idempotency keys. Returns whether there may be more.
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
        log.has_forgotten = true;
    }
    Ok(true)
}

/// Has an append's own transaction drop what is over the limits: at most twice as much as it adds, so that a log that is far over its limits comes
/// down, and an append costs three times itself at the most.
pub(crate) fn after_append(log: &mut LogTables<'_>) -> Result<(), Failure> {
    if let Some(retention) = log.retention
        && log.added > 0
    {
        drop_oldest(log, &retention, (2 * log.added, usize::MAX))?;
    }
    Ok(())
}

/// Returns whether there may be more.
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
    Ok(are_more)
}

/// Whether the oldest event, which was stored then, is to go. The newest stays.
fn is_oldest_over(head: &Head, stored: u64, retention: &Retention, now: u64) -> bool {
    let is_old = |age| now.saturating_sub(stored) > millis(age);
    head.events > 1
        && (head.events > retention.events as u64
            || head.bytes > retention.bytes as u64
            || retention.age.is_some_and(is_old))
}
