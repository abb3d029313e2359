use sse_core::Cursor;
use sse_core::store::{Appended, NewEvent, StoredEvent};

use crate::failure::Failure;
use crate::once::{Age, Memory};
use crate::writing::LogTables;

/// Stores these events, except those that are known by their idempotency keys.
pub(crate) fn append(
    log: &mut LogTables<'_>,
    events: &[NewEvent],
    memory: Memory,
) -> Result<Appended, Failure> {
    let age = Age { window: memory.window, time: log.time };
    // What was stored before the end, and is tried again, was stored.
    if log.head.is_finished && !are_known(log, events, age)? {
        return Err(Failure::Finished);
    }
    let mut cursors = Vec::with_capacity(events.len());
    for event in events {
        let position = match &event.idempotency_key {
            None => push(log, event)?,
            Some(key) => match log.once()?.known(key, age)? {
                Some(first) => first,
                None => {
                    let (position, came) = (push(log, event)?, log.time.now);
                    log.once()?.remember(key, position, came, memory.events)?;
                    position
                }
            },
        };
        cursors.push(Cursor::from(position));
    }
    Ok(Appended { epoch: log.head.epoch, cursors })
}

fn push(log: &mut LogTables<'_>, event: &NewEvent) -> Result<u64, Failure> {
    let position = log.push(event.key.as_deref(), &event.block)?;
    log.give(|| StoredEvent {
        cursor: Cursor::from(position),
        block: event.block.clone(),
        key: event.key.clone(),
    });
    Ok(position)
}

fn are_known(log: &mut LogTables<'_>, events: &[NewEvent], age: Age) -> Result<bool, Failure> {
    for event in events {
        let Some(key) = &event.idempotency_key else { return Ok(false) };
        if log.once()?.known(key, age)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
