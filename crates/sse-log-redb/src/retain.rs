use std::time::Duration;

use redb::ReadableTable;
use sse_core::store::Retention;

use crate::append::{is_past, millis, now, remove};
use crate::failure::Failure;
use crate::tables::{EventRow, LogTables, LogView};

/// How many events one transaction lets go of: those who append wait for it.
const AT_A_TIME: usize = 4096;

/// Whether there is anything to let go of.
pub(crate) fn is_over(
    log: &LogView,
    retention: &Retention,
    window: Duration,
) -> Result<bool, Failure> {
    let now = now();
    let is_forgettable = match log.once_order.first()? {
        Some((at, once)) => is_past(at.value(), once.value().0, log.head.floor, now, window),
        None => false,
    };
    Ok(is_forgettable || is_oldest_over(&log.events, log.head.bytes, retention, now)?)
}

/// Lets go of the oldest events that are over the limits, and of idempotency keys. Answers whether there may be more.
pub(crate) fn retain(
    log: &mut LogTables<'_>,
    retention: &Retention,
    window: Duration,
) -> Result<bool, Failure> {
    let now = now();
    for _ in 0..AT_A_TIME {
        if !is_oldest_over(&log.events, log.head.bytes, retention, now)? {
            return forget(log, now, window);
        }
        let Some(oldest) = log.events.first()?.map(|(at, _)| at.value()) else { break };
        remove(log, oldest)?;
        log.head.floor = oldest;
    }
    Ok(true)
}

/// Whether the oldest event is to go. The newest stays.
fn is_oldest_over(
    events: &impl ReadableTable<u64, EventRow>,
    bytes: u64,
    retention: &Retention,
    now: u64,
) -> Result<bool, Failure> {
    let count = events.len()?;
    if count <= 1 {
        return Ok(false);
    }
    if count > retention.events as u64 || bytes > retention.bytes as u64 {
        return Ok(true);
    }
    let (Some(age), Some((_, oldest))) = (retention.age, events.first()?) else { return Ok(false) };
    Ok(now.saturating_sub(oldest.value().0) > millis(age))
}

/// Forgets the idempotency keys whose time is over, or whose events are.
fn forget(log: &mut LogTables<'_>, now: u64, window: Duration) -> Result<bool, Failure> {
    for _ in 0..AT_A_TIME {
        let Some((at, key)) = first_past(log, now, window)? else { return Ok(false) };
        log.once_order.remove(at)?;
        // A key that came again since has a newer event.
        let position = log.once.get(&*key)?.map(|first| first.value().0);
        if position == Some(at) {
            log.once.remove(&*key)?;
        }
        log.has_forgotten = true;
    }
    Ok(true)
}

/// The oldest idempotency key, if it is to be forgotten.
fn first_past(
    log: &LogTables<'_>,
    now: u64,
    window: Duration,
) -> Result<Option<(u64, String)>, Failure> {
    let Some((at, once)) = log.once_order.first()? else { return Ok(None) };
    let (at, (came, key)) = (at.value(), once.value());
    Ok(is_past(at, came, log.head.floor, now, window).then(|| (at, key.to_owned())))
}
