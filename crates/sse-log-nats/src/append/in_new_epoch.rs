//! The end of an append during which an epoch began. The epoch may have begun because another program has removed events: its ids must not name these.

use std::collections::BTreeSet;
use std::sync::Arc;

use sse_core::Position;
use sse_core::store::{Appended, Bounds, EncodedEvent, StoreError};

use crate::append::append;
use crate::bounds::info;
use crate::core::LogCore;
use crate::error::as_outcome_unknown;
use crate::idempotency;
use crate::lookup::{get, last_of_key};
use crate::message::Message;
use crate::names::Batch;
use crate::position::sequence_of;

/// Returns the ids of these events in the epoch of `now`. Some of the events were stored in message `sequence`; the others were known by their keys.
/// If the new epoch has lost known ones, they are stored again after the message, so the batch is out of order. Returns `None` if everything must be
/// stored again: there is no message, or it is lost.
pub(crate) async fn finish(
    core: &Arc<LogCore>,
    now: &Bounds,
    sequence: Option<u64>,
    events: &[EncodedEvent],
    mut positions: Vec<Position>,
) -> Result<Option<Appended>, StoreError> {
    let Some(sequence) = sequence else { return Ok(None) };
    // The bounds may have the state of the stream before the removal, with the record after it: the state is asked for again.
    let state = info(core, None).await?.state;
    let is_removed = |sequence: u64| {
        let is_within = (state.first_seq..=state.last_seq).contains(&sequence);
        sequence > now.floor.hi() && !is_within
    };
    if is_lost(core, sequence, events, is_removed(sequence)).await? {
        return Ok(None);
    }
    let lost = positions.iter().map(|position| sequence_of(*position)).enumerate();
    let lost = lost.filter(|(_, of)| *of != sequence && is_removed(*of)).map(|(index, _)| index);
    let lost: BTreeSet<usize> = lost.collect();
    let kept = (0..events.len()).filter(|index| !lost.contains(index));
    let kept = kept.map(|index| (&events[index], positions[index]));
    idempotency::record_keys(core, now.epoch, kept).await?;
    if !lost.is_empty() {
        let again: Vec<_> = lost.iter().map(|index| events[*index].clone()).collect();
        let stored =
            Box::pin(append(core, Batch::Any, &again)).await.map_err(as_outcome_unknown)?;
        if stored.epoch != now.epoch {
            return Err(StoreError::outcome_unknown(
                "the append took longer than an epoch of the log: try again",
            ));
        }
        lost.into_iter()
            .zip(stored.positions)
            .for_each(|(index, position)| positions[index] = position);
    }
    Ok(Some(Appended { epoch: now.epoch, positions }))
}

/// Returns true if the stream does not have this message with these events, though the log has not dropped, deleted or superseded them.
async fn is_lost(
    core: &LogCore,
    sequence: u64,
    events: &[EncodedEvent],
    is_removed: bool,
) -> Result<bool, StoreError> {
    if let Some(message) = get(core, sequence).await? {
        return Ok(!has_any(core, &message, events));
    }
    if let [EncodedEvent { key: Some(key), .. }] = events
        && last_of_key(core, key).await?.is_some_and(|newest| newest.sequence > sequence)
    {
        return Ok(false);
    }
    Ok(is_removed)
}

/// Returns true if the message begins with one of these events. If the stream was replaced, another message may have the sequence.
fn has_any(core: &LogCore, message: &Message, events: &[EncodedEvent]) -> bool {
    let kept = message.events(&core.names);
    kept.first().is_some_and(|kept| events.iter().any(|event| event.block == kept.block))
}
