use sse_core::Position;
use sse_core::store::{Appended, EncodedEvent, StoredEvent};

use crate::error::Failure;
use crate::idempotency::{Expiry, KeyLimits};
use crate::log_tables::LogTables;

/// Stores these events, except those whose idempotency keys are known.
pub(crate) fn append(
    log: &mut LogTables<'_>,
    events: &[EncodedEvent],
    key_limits: KeyLimits,
) -> Result<Appended, Failure> {
    let expiry = Expiry { window: key_limits.window, time: log.time };
    // A retry of events that were stored before the log was finished returns their positions.
    if log.head.is_finished && !are_known(log, events, expiry)? {
        return Err(Failure::Finished);
    }
    let mut positions = Vec::with_capacity(events.len());
    for event in events {
        let position = match &event.idempotency_key {
            None => push(log, event)?,
            Some(key) => match log.idempotency_keys()?.find(key, expiry)? {
                Some(first) => first,
                None => {
                    let (position, came) = (push(log, event)?, log.time.now);
                    log.idempotency_keys()?.remember(key, position, came, key_limits.events)?;
                    position
                }
            },
        };
        positions.push(Position::from(position));
    }
    Ok(Appended { epoch: log.head.epoch, positions })
}

fn push(log: &mut LogTables<'_>, event: &EncodedEvent) -> Result<u64, Failure> {
    let position = log.push(event)?;
    log.add_new_event(|| StoredEvent {
        position: Position::from(position),
        block: event.block.clone(),
        key: event.key.clone(),
        topics: event.topics.clone(),
    });
    Ok(position)
}

fn are_known(
    log: &mut LogTables<'_>,
    events: &[EncodedEvent],
    expiry: Expiry,
) -> Result<bool, Failure> {
    for event in events {
        let Some(key) = &event.idempotency_key else { return Ok(false) };
        if log.idempotency_keys()?.find(key, expiry)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
