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
    if log.head.is_finished {
        return Err(Failure::Finished);
    }
    let now = now();
    let mut cursors = Vec::with_capacity(events.len());
    for event in events {
        let position = match &event.idempotency_key {
            None => push(log, event, now)?,
            Some(key) => match known(log, key, now, window)? {
                Some(first) => first,
                None => {
                    let position = push(log, event, now)?;
                    log.once.insert(&**key, (position, now))?;
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

/// Where the event of this idempotency key is, if that is still remembered.
fn known(
    log: &mut LogTables<'_>,
    key: &str,
    now: u64,
    window: Duration,
) -> Result<Option<u64>, Failure> {
    let Some((position, came)) = log.once.get(key)?.map(|first| first.value()) else {
        return Ok(None);
    };
    let is_kept = position > log.head.floor;
    if is_kept && now.saturating_sub(came) <= millis(window) {
        return Ok(Some(position));
    }
    log.once_order.remove(position)?;
    Ok(None)
}
