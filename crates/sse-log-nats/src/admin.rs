use serde_json::{Value, json};
use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};

use crate::api::Info;
use crate::bounds::{FINISHED, look};
use crate::failure::code;
use crate::message::{Kind, sequence_of};
use crate::read::get;
use crate::record::{self, Record};
use crate::store::Shared;

/// How many deleted events of batches there may be.
const MOST_HIDDEN: usize = 10_000;

/// Forgets an event: its message, or, where that has others, its place in it.
pub(crate) async fn delete(shared: &Shared, event: Cursor) -> Result<(), StoreError> {
    let look = look(shared).await?;
    if event <= look.bounds.floor || event > look.bounds.newest {
        return Ok(());
    }
    let sequence = sequence_of(event);
    let hidden = match get(shared, sequence).await? {
        Some(message) if matches!(Kind::of(&message.subject, &shared.names), Kind::Batch(_)) => {
            let events: Vec<_> =
                message.events(&shared.names).iter().map(|event| event.cursor).collect();
            if !events.contains(&event) {
                return Ok(());
            }
            Some(events)
        }
        Some(_) => {
            remove(shared, sequence).await?;
            None
        }
        // Whoever removed it may not have come to telling so.
        None => None,
    };
    let is_there = hidden.is_some();
    let record = record::change(shared, |record| {
        record.deletions = record.deletions.wrapping_add(1);
        if is_there {
            record.hidden.insert(event);
        }
        if record.hidden.len() > MOST_HIDDEN {
            return Err(StoreError::failed(
                "more events of batches were deleted than a NATS log can hide",
            ));
        }
        Ok(true)
    })
    .await?;
    let is_gone = |cursor: &Cursor| *cursor <= record.floor || record.hidden.contains(cursor);
    if let Some(events) = hidden.filter(|events| events.iter().all(is_gone)) {
        remove(shared, sequence).await?;
        record::change(shared, |record| {
            let before = record.hidden.len();
            record.hidden.retain(|hidden| !events.contains(hidden));
            Ok(record.hidden.len() != before)
        })
        .await?;
    }
    Ok(())
}

/// Removes a message; its bytes are overwritten.
async fn remove(shared: &Shared, sequence: u64) -> Result<(), StoreError> {
    let subject = format!("STREAM.MSG.DELETE.{}", shared.names.stream);
    match shared.connection.api::<Value>(&subject, &json!({ "seq": sequence })).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.is(code::NO_SUCH_SEQUENCE) || failure.is(code::NO_MESSAGE) => {
            Ok(())
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Has the stream take no more events.
pub(crate) async fn finish(shared: &Shared) -> Result<(), StoreError> {
    let mut info = look(shared).await?.info;
    if !info.is_finished() {
        info.config["max_msg_size"] = json!(FINISHED);
        let subject = format!("STREAM.UPDATE.{}", shared.names.stream);
        shared.connection.api::<Info>(&subject, &info.config).await?;
    }
    // Those who follow look whenever the record is written.
    record::change(shared, |_| Ok(true)).await?;
    Ok(())
}

/// Compare and set.
pub(crate) async fn begin_epoch(shared: &Shared, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let info = look(shared).await?.info;
    let record = record::change(shared, |record| {
        let is_this = record.epoch == instead_of;
        if is_this {
            *record = Record::begin(&info, Some(record));
        }
        Ok(is_this)
    })
    .await?;
    shared.saw(record.epoch, info.newest());
    Ok(record.epoch)
}
