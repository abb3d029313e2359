use std::time::{Duration, SystemTime};

use redb::ReadableTable;
use sse_core::Cursor;
use sse_core::store::{Appended, NewEvent};

use crate::failure::Failure;
use crate::tables::LogTables;

/// Stores these events, those aside that were stored within the window.
pub(crate) fn append(
    log: &mut LogTables<'_>,
    events: &[NewEvent],
    window: Duration,
) -> Result<Appended, Failure> {
    let now = now();
    // What was stored before the end, and is tried again, was stored.
    if log.head.is_finished && !are_known(log, events, now, window)? {
        return Err(Failure::Finished);
    }
    let mut cursors = Vec::with_capacity(events.len());
    for event in events {
        let position = match &event.idempotency_key {
            None => push(log, event, now)?,
            Some(key) => match known(log, key, now, window)? {
                Some(first) => first,
                None => {
                    let position = push(log, event, now)?;
                    let before = log.once.insert(&**key, (position, now))?;
                    if let Some((before, _)) = before.map(|before| before.value()) {
                        log.once_order.remove(before)?;
                    }
                    log.once_order.insert(position, (now, &**key))?;
                    position
                }
            },
        };
        cursors.push(Cursor::from(position));
    }
    Ok(Appended { epoch: log.head.epoch, cursors })
}

/// Milliseconds of the system's clock, which a file outlives, unlike any other.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn push(log: &mut LogTables<'_>, event: &NewEvent, now: u64) -> Result<u64, Failure> {
    let position = log.head.newest + 1;
    log.head.newest = position;
    log.head.bytes += event.block.len() as u64;
    let key = event.key.as_deref();
    log.events.insert(position, (now, key.unwrap_or_default(), &*event.block))?;
    if let Some(key) = key {
        let older = log.keys.insert(key, position)?.map(|older| older.value());
        if let Some(older) = older {
            remove(log, older)?;
        }
    }
    Ok(position)
}

/// Forgets an event, and answers whether it was there.
pub(crate) fn remove(log: &mut LogTables<'_>, position: u64) -> Result<bool, Failure> {
    let Some(event) = log.events.remove(position)? else { return Ok(false) };
    let (_, key, block) = event.value();
    log.head.bytes = log.head.bytes.saturating_sub(block.len() as u64);
    if !key.is_empty() {
        let newest = log.keys.get(key)?.map(|newest| newest.value());
        if newest == Some(position) {
            log.keys.remove(key)?;
        }
    }
    Ok(true)
}

fn are_known(
    log: &LogTables<'_>,
    events: &[NewEvent],
    now: u64,
    window: Duration,
) -> Result<bool, Failure> {
    for event in events {
        let Some(key) = &event.idempotency_key else { return Ok(false) };
        if known(log, key, now, window)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where the event of this idempotency key is, if that is still remembered.
fn known(
    log: &LogTables<'_>,
    key: &str,
    now: u64,
    window: Duration,
) -> Result<Option<u64>, Failure> {
    let Some((position, came)) = log.once.get(key)?.map(|first| first.value()) else {
        return Ok(None);
    };
    Ok((!is_past(position, came, log.head.floor, now, window)).then_some(position))
}

/// Whether an idempotency key is to be forgotten: its time is over, or its event is. What comes from the future, by a clock that was set
/// back since, would stay until then, and with it all that came later.
pub(crate) fn is_past(at: u64, came: u64, floor: u64, now: u64, window: Duration) -> bool {
    at <= floor || now.abs_diff(came) > millis(window)
}
