//! The operations that change the state of a log: finishing it, deleting an event and beginning an epoch.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};
use sse_core::store::StoreError;
use sse_core::{Epoch, Position};

use crate::bounds::load_view;
use crate::core::LogCore;
use crate::error::{as_outcome_unknown, code};
use crate::jetstream::Info;
use crate::jetstream::{FINISHED, FINISHING};
use crate::last;
use crate::lookup::get;
use crate::position::sequence_of;
use crate::record::storage::{Loaded, load, save};
use crate::record::{MOST_HIDDEN, Record};

/// Number of attempts to change the record while other processes change it.
const ATTEMPTS: usize = 100;

/// Deletes an event: its message, or, if the message has other events, only its place in it. It is hidden first, and all processes are notified.
pub(crate) async fn delete(core: &LogCore, event: Position) -> Result<(), StoreError> {
    // The event may be of the message that says that the log is to be finished.
    let view = last::complete(core, load_view(core).await?).await?;
    if event <= view.bounds.floor || event > view.bounds.newest {
        return Ok(());
    }
    let sequence = sequence_of(event);
    let message = get(core, sequence).await?;
    let events = message.map(|message| message.events(&core.names)).unwrap_or_default();
    let events: Vec<_> = events.iter().map(|event| event.position).collect();
    let is_there = events.contains(&event);
    if !is_there && !events.is_empty() {
        return Ok(());
    }
    let record = change(core, |record| {
        // The process that removed the message may have failed before it counted the deletion.
        record.deletions = record.deletions.wrapping_add(1);
        if is_there {
            record.hidden.insert(event);
        } else {
            record.hidden.remove(&event);
        }
        if events.len() > 1 && record.hidden.len() > MOST_HIDDEN {
            return Err(StoreError::failed(
                "delete failed: a NATS log hides at most 10000 deleted events of batches; retention drops them with their batches",
            ));
        }
        Ok(true)
    })
    .await?;
    let is_gone =
        |position: &Position| *position <= record.floor || record.hidden.contains(position);
    if is_there && events.iter().all(is_gone) {
        remove(core, sequence).await.map_err(as_outcome_unknown)?;
        let shown = change(core, |record| {
            let before = record.hidden.len();
            record.hidden.retain(|hidden| !events.contains(hidden));
            Ok(record.hidden.len() != before)
        });
        shown.await.map_err(as_outcome_unknown)?;
    }
    Ok(())
}

/// Removes a message. The server overwrites its bytes.
async fn remove(core: &LogCore, sequence: u64) -> Result<(), StoreError> {
    let subject = format!("STREAM.MSG.DELETE.{}", core.names.stream);
    match core.requests.api::<Value>(&subject, &json!({ "seq": sequence })).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.is(code::NO_SUCH_SEQUENCE) || failure.is(code::NO_MESSAGE) => {
            Ok(())
        }
        // Another process may have removed it before.
        Err(failure) if failure.is(code::NOT_DELETED) => match get(core, sequence).await? {
            Some(_) => Err(failure.into()),
            None => Ok(()),
        },
        Err(failure) => Err(failure.into()),
    }
}

/// Finishes the log: its stream takes no more events.
pub(crate) async fn finish(core: &LogCore) -> Result<(), StoreError> {
    let mut info = load_view(core).await?.info;
    if info.is_closed() {
        return Ok(());
    }
    if !info.is_finished() {
        info = update(core, info.config, "max_msg_size", json!(FINISHING)).await?;
    }
    // Followers load the bounds again whenever the record is written, by this process or by another that writes it now.
    let mut record = load_record(core).await.map_err(as_outcome_unknown)?;
    save(core, &mut record).await.map_err(as_outcome_unknown)?;
    close(core, info).await.map_err(as_outcome_unknown)
}

/// Lets a finished log take requests about ids again. Before that, every event that is on its way is refused.
async fn close(core: &LogCore, info: Info) -> Result<(), StoreError> {
    let id_requests = core.names.id_requests();
    let info = update(core, info.config, "subjects", json!([id_requests])).await?;
    // The server takes messages in the order in which they came: it refuses this one after all that came on other subjects.
    let last = core.requests.request(id_requests, HeaderMap::new(), Bytes::from_static(b"last"));
    last.await?;
    update(core, info.config, "max_msg_size", json!(FINISHED)).await?;
    Ok(())
}

async fn update(
    core: &LogCore,
    mut config: Value,
    field: &str,
    value: Value,
) -> Result<Info, StoreError> {
    config[field] = value;
    let subject = format!("STREAM.UPDATE.{}", core.names.stream);
    Ok(core.requests.api(&subject, &config).await?)
}

/// Begins an epoch in place of this one. Returns the present epoch; another process may have begun it.
pub(crate) async fn begin_epoch(core: &LogCore, instead_of: Epoch) -> Result<Epoch, StoreError> {
    let info = load_view(core).await?.info;
    let record = change(core, |record| {
        let is_this = record.epoch == instead_of;
        if is_this {
            *record = Record::begin(&info, Some(record))?;
        }
        Ok(is_this)
    })
    .await?;
    core.saw(record.epoch, info.newest());
    Ok(record.epoch)
}

/// Changes the record, even while other processes do. Returns the record as it is then. If `change` returns false, nothing is written.
pub(crate) async fn change(
    core: &LogCore,
    change: impl Fn(&mut Record) -> Result<bool, StoreError>,
) -> Result<Record, StoreError> {
    for _ in 0..ATTEMPTS {
        let mut record = load_record(core).await?;
        if !change(&mut record)? || save(core, &mut record).await? {
            return Ok(record);
        }
    }
    Err(StoreError::failed(
        "changing the record failed: other processes changed it in 100 attempts; try again",
    ))
}

async fn load_record(core: &LogCore) -> Result<Record, StoreError> {
    Ok(match load(core).await? {
        Loaded::Record(record) => record,
        Loaded::NoRecord | Loaded::NoStream => load_view(core).await?.record,
    })
}
