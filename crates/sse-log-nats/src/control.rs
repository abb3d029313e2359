use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};
use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};

use crate::bounds::look;
use crate::core::Shared;
use crate::error::{code, though_begun};
use crate::jetstream::Info;
use crate::jetstream::{FINISHED, FINISHING};
use crate::lookup::get;
use crate::position::sequence_of;
use crate::record::Record;
use crate::record::storage::{Loaded, load, save};

/// How often a change is tried again that another process came before.
const ATTEMPTS: usize = 100;
/// How many deleted events of batches there may be.
const MOST_HIDDEN: usize = 10_000;

/// Forgets an event: its message, or, where that has others, its place in it. It is hidden first, and all are told.
pub(crate) async fn delete(shared: &Shared, event: Cursor) -> Result<(), StoreError> {
    let look = look(shared).await?;
    if event <= look.bounds.floor || event > look.bounds.newest {
        return Ok(());
    }
    let sequence = sequence_of(event);
    let message = get(shared, sequence).await?;
    let events = message.map(|message| message.events(&shared.names)).unwrap_or_default();
    let events: Vec<_> = events.iter().map(|event| event.cursor).collect();
    let is_there = events.contains(&event);
    if !is_there && !events.is_empty() {
        return Ok(());
    }
    let record = change(shared, |record| {
        // Whoever removed the message may not have come to telling so.
        record.deletions = record.deletions.wrapping_add(1);
        if is_there {
            record.hidden.insert(event);
        } else {
            record.hidden.remove(&event);
        }
        if events.len() > 1 && record.hidden.len() > MOST_HIDDEN {
            return Err(StoreError::failed(
                "more events of batches were deleted than a NATS log can hide",
            ));
        }
        Ok(true)
    })
    .await?;
    let is_gone = |cursor: &Cursor| *cursor <= record.floor || record.hidden.contains(cursor);
    if is_there && events.iter().all(is_gone) {
        remove(shared, sequence).await.map_err(though_begun)?;
        let shown = change(shared, |record| {
            let before = record.hidden.len();
            record.hidden.retain(|hidden| !events.contains(hidden));
            Ok(record.hidden.len() != before)
        });
        shown.await.map_err(though_begun)?;
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
        // Somebody else may have been faster.
        Err(failure) if failure.is(code::NOT_DELETED) => match get(shared, sequence).await? {
            Some(_) => Err(failure.into()),
            None => Ok(()),
        },
        Err(failure) => Err(failure.into()),
    }
}

/// Has the stream take no more events.
pub(crate) async fn finish(shared: &Shared) -> Result<(), StoreError> {
    let mut info = look(shared).await?.info;
    if !info.is_finished() {
        info = update(shared, info.config, "max_msg_size", json!(FINISHING)).await?;
    }
    // Followers look whenever the record is written.
    change(shared, |_| Ok(true)).await.map_err(though_begun)?;
    if !info.is_closed() {
        close(shared, info).await.map_err(though_begun)?;
    }
    Ok(())
}

/// Has a finished log answer questions about ids again. What is on its way to it is refused before.
async fn close(shared: &Shared, info: Info) -> Result<(), StoreError> {
    let ask = shared.names.ask();
    let info = update(shared, info.config, "subjects", json!([ask])).await?;
    // Messages are taken in the order in which they came: it is refused after all that came on other subjects.
    let last = shared.connection.request(ask, HeaderMap::new(), Bytes::from_static(b"last"));
    last.await?;
    update(shared, info.config, "max_msg_size", json!(FINISHED)).await?;
    Ok(())
}

async fn update(
    shared: &Shared,
    mut config: Value,
    field: &str,
    value: Value,
) -> Result<Info, StoreError> {
    config[field] = value;
    let subject = format!("STREAM.UPDATE.{}", shared.names.stream);
    Ok(shared.connection.api(&subject, &config).await?)
}

/// Compare and set.
pub(crate) async fn begin_epoch(shared: &Shared, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let info = look(shared).await?.info;
    let record = change(shared, |record| {
        let is_this = record.epoch == instead_of;
        if is_this {
            *record = Record::begin(&info, Some(record))?;
        }
        Ok(is_this)
    })
    .await?;
    shared.saw(record.epoch, info.newest());
    Ok(record.epoch)
}

/// Changes the record, however many others do. The answer is the record as it is then; where the change is none it stays as it is.
async fn change(
    shared: &Shared,
    change: impl Fn(&mut Record) -> Result<bool, StoreError>,
) -> Result<Record, StoreError> {
    for _ in 0..ATTEMPTS {
        let mut record = match load(shared).await? {
            Loaded::Record(record) => record,
            Loaded::Nothing | Loaded::NoStream => look(shared).await?.record,
        };
        if !change(&mut record)? || save(shared, &mut record).await? {
            return Ok(record);
        }
    }
    Err(StoreError::failed("too many others change the record of the log"))
}
