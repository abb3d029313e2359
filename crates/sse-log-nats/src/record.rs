//! What there is to know of a log beside its events: one message, replaced by compare and set.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::{HeaderMap, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};
use tokio::time::sleep;

use crate::api::{Ack, Got, Info, StreamConfig};
use crate::failure::{answer, code};
use crate::store::Shared;

/// How often a change is tried again that another process came before.
const ATTEMPTS: usize = 100;
/// How long one waits for somebody who is creating a stream, and how often.
const CREATING: Duration = Duration::from_millis(20);
const CREATIONS: usize = 10;
/// How long the first record of a log is given to be stored, before that is tried again.
const FIRST: Duration = Duration::from_millis(500);
/// How long a record that was told of is given to be stored, in milliseconds: a second in all.
const STORING: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// The header by which NATS compares and sets.
const REPLACES: &str = "Nats-Expected-Last-Subject-Sequence";

/// The record of a log, and its revision.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) epoch: Epoch,
    /// When the stream was created that it is of.
    pub(crate) created: String,
    pub(crate) floor: Cursor,
    /// The newest message when this was written. A stream that has fewer was restored, or has lost some.
    pub(crate) newest: u64,
    pub(crate) deletions: u64,
    /// Deleted events in messages that have others.
    pub(crate) hidden: BTreeSet<Cursor>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    epoch: String,
    created: String,
    floor: (u64, u64),
    #[serde(default)]
    newest: u64,
    deletions: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<(u64, u64)>,
}

impl Record {
    /// The record of a stream that has none, or of another life of it.
    pub(crate) fn begin(info: &Info, before: Option<&Self>) -> Result<Self, StoreError> {
        let same = before.filter(|record| record.created == info.created);
        let floor = same.map(|record| record.floor).filter(|floor| *floor <= info.newest());
        Ok(Self {
            epoch: Epoch::random()?,
            created: info.created.clone(),
            floor: floor.unwrap_or_else(|| info.before_first()),
            newest: info.state.last_seq,
            deletions: before.map_or(0, |record| record.deletions.wrapping_add(1)),
            hidden: same.map(|record| record.hidden.clone()).unwrap_or_default(),
            revision: before.map_or(0, |record| record.revision),
        })
    }

    /// A number that changes whenever it is written.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether it was lower.
    pub(crate) fn raise_floor(&mut self, floor: Cursor) -> bool {
        let rises = floor > self.floor;
        if rises {
            self.floor = floor;
            self.hidden.retain(|hidden| *hidden > floor);
        }
        rises
    }

    fn to_json(&self) -> Result<Bytes, StoreError> {
        let written = Written {
            epoch: self.epoch.to_string(),
            created: self.created.clone(),
            floor: (self.floor.hi(), self.floor.lo()),
            newest: self.newest,
            deletions: self.deletions,
            hidden: self.hidden.iter().map(|cursor| (cursor.hi(), cursor.lo())).collect(),
        };
        Ok(serde_json::to_vec(&written).map_err(StoreError::failed)?.into())
    }

    fn from_message(got: &Got) -> Result<Self, StoreError> {
        let json = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?;
        let written: Written = serde_json::from_slice(&json).map_err(StoreError::failed)?;
        Ok(Self {
            epoch: written.epoch.parse().map_err(StoreError::failed)?,
            created: written.created,
            floor: Cursor::new(written.floor.0, written.floor.1),
            newest: written.newest,
            deletions: written.deletions,
            hidden: written.hidden.into_iter().map(|(hi, lo)| Cursor::new(hi, lo)).collect(),
            revision: got.message.seq,
        })
    }
}

/// What was found of a record.
#[derive(Debug)]
pub(crate) enum Loaded {
    Record(Record),
    Nothing,
    /// Nor is there a stream of records.
    NoStream,
}

/// The record as it is, as new as what was told of it: NATS passes a message on before it stores it.
pub(crate) async fn load(shared: &Shared) -> Result<Loaded, StoreError> {
    for pause in STORING {
        let loaded = load_now(shared).await?;
        match &loaded {
            Loaded::Record(record) if shared.told.is_newer_than(record.revision) => {}
            _ => return Ok(loaded),
        }
        sleep(Duration::from_millis(pause)).await;
    }
    shared.told.await_no_more();
    load_now(shared).await
}

async fn load_now(shared: &Shared) -> Result<Loaded, StoreError> {
    let subject = format!("STREAM.MSG.GET.{}", shared.names.records);
    let question = json!({ "last_by_subj": shared.names.record });
    match shared.connection.api(&subject, &question).await {
        Ok(got) => Record::from_message(&got).map(Loaded::Record),
        Err(failure) if failure.is(code::NO_MESSAGE) => Ok(Loaded::Nothing),
        Err(failure) if failure.is(code::NO_STREAM) => Ok(Loaded::NoStream),
        Err(failure) => Err(failure.into()),
    }
}

/// The revision that a record which is written replaces.
pub(crate) fn replaced(message: &Message) -> Option<u64> {
    message.headers.as_ref()?.get(REPLACES)?.as_str().parse().ok()
}

/// Writes a record in the place of its revision. False if another came before.
pub(crate) async fn save(shared: &Shared, record: &mut Record) -> Result<bool, StoreError> {
    let mut headers = HeaderMap::new();
    headers.insert(REPLACES, record.revision.to_string());
    let subject = shared.names.record.clone();
    let json = record.to_json()?;
    let message = match record.revision {
        // The stream may just have been created, and not take messages yet.
        0 => {
            let answer = shared.connection.request_within(FIRST, subject, headers, json).await?;
            let Some(message) = answer else { return Ok(false) };
            message
        }
        _ => shared.connection.request(subject, headers, json).await?,
    };
    match answer::<Ack>(&message.payload) {
        Ok(ack) => {
            record.revision = ack.seq;
            Ok(true)
        }
        Err(failure) if failure.is_other_last() => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}

/// Changes the record, however many others do. The answer is the record as it is then; where the change is none it stays as it is.
pub(crate) async fn change(
    shared: &Shared,
    change: impl Fn(&mut Record) -> Result<bool, StoreError>,
) -> Result<Record, StoreError> {
    for _ in 0..ATTEMPTS {
        let mut record = match load(shared).await? {
            Loaded::Record(record) => record,
            Loaded::Nothing | Loaded::NoStream => crate::bounds::look(shared).await?.record,
        };
        if !change(&mut record)? || save(shared, &mut record).await? {
            return Ok(record);
        }
    }
    Err(StoreError::failed("too many others change the record of the log"))
}

/// Creates the stream of the records.
pub(crate) async fn create_stream(shared: &Shared) -> Result<(), StoreError> {
    let config = StreamConfig {
        name: &shared.names.records,
        subjects: [&shared.names.record_subjects],
        description: "What there is to know of the logs of sse-log-nats beside their events",
        retention: "limits",
        discard: "old",
        storage: "file",
        num_replicas: shared.connection.engine.options.replicas,
        max_msgs_per_subject: 1,
        allow_rollup_hdrs: false,
        duplicate_window: 0,
    };
    create(shared, &config).await?;
    Ok(())
}

/// Creates a stream, unless there is one of this name. The answer is the stream, if it is new.
pub(crate) async fn create(
    shared: &Shared,
    config: &StreamConfig<'_>,
) -> Result<Option<Info>, StoreError> {
    let subject = format!("STREAM.CREATE.{}", config.name);
    let mut attempts = 0..CREATIONS;
    loop {
        match shared.connection.api::<Info>(&subject, config).await {
            Ok(info) => return Ok(Some(info)),
            Err(failure) if failure.is(code::STREAM_EXISTS) => return Ok(None),
            // With itself, where somebody else is creating it.
            Err(failure) if failure.is(code::SUBJECTS_OVERLAP) && attempts.next().is_some() => {
                sleep(CREATING).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}
