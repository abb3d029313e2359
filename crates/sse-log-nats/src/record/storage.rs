//! Loading and saving the record, and creating streams.

use std::time::Duration;

use async_nats::HeaderMap;
use serde_json::json;
use sse_core::store::StoreError;
use tokio::time::sleep;

use crate::connection::changes::REPLACES;
use crate::core::LogCore;
use crate::error::{code, parse_answer};
use crate::jetstream::{Ack, Info, StreamConfig};
use crate::record::Record;

/// Pause while another process is creating a stream, and number of pauses.
const CREATING: Duration = Duration::from_millis(20);
const CREATIONS: usize = 10;
/// The time to wait for the first record of a log to appear, before it is saved again.
const FIRST: Duration = Duration::from_millis(500);
/// The pauses between attempts to load a record whose change was notified, in milliseconds; about 1 s in all.
const STORING: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// The outcome of loading a record.
#[derive(Debug)]
pub(crate) enum Loaded {
    Record(Record),
    NoRecord,
    /// There is not even a stream of records.
    NoStream,
}

/// Loads the record, no older than the last notification: NATS delivers a message before it stores it.
pub(crate) async fn load(core: &LogCore) -> Result<Loaded, StoreError> {
    for pause in STORING {
        let loaded = load_now(core).await?;
        match &loaded {
            Loaded::Record(record) if core.changes.is_newer_than(record.revision) => {}
            _ => return Ok(loaded),
        }
        sleep(Duration::from_millis(pause)).await;
    }
    core.changes.forget_awaited();
    load_now(core).await
}

async fn load_now(core: &LogCore) -> Result<Loaded, StoreError> {
    let subject = format!("STREAM.MSG.GET.{}", core.names.records);
    let request = json!({ "last_by_subj": core.names.record });
    match core.requests.api(&subject, &request).await {
        Ok(got) => Record::from_message(&got).map(Loaded::Record),
        Err(failure) if failure.is(code::NO_MESSAGE) => Ok(Loaded::NoRecord),
        Err(failure) if failure.is(code::NO_STREAM) => Ok(Loaded::NoStream),
        Err(failure) => Err(failure.into()),
    }
}

/// Saves a record over its revision. Returns false if another process has saved one before.
pub(crate) async fn save(core: &LogCore, record: &mut Record) -> Result<bool, StoreError> {
    let mut headers = HeaderMap::new();
    headers.insert(REPLACES, record.revision.to_string());
    let subject = core.names.record.clone();
    let json = record.to_json()?;
    let message = match record.revision {
        // The stream may just have been created, and not take messages yet.
        0 => {
            let answer = core.requests.request_within(FIRST, subject, headers, json).await?;
            let Some(message) = answer else { return Ok(false) };
            message
        }
        _ => core.requests.request(subject, headers, json).await?,
    };
    match parse_answer::<Ack>(&message.payload) {
        Ok(ack) => {
            record.revision = ack.seq;
            Ok(true)
        }
        Err(failure) if failure.is_other_last() => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}

/// Creates the stream of the records.
pub(crate) async fn create_stream(core: &LogCore) -> Result<(), StoreError> {
    let config = StreamConfig {
        name: &core.names.records,
        subjects: [&core.names.record_subjects],
        description: "The records of the logs of sse-log-nats: all of their state except the events",
        retention: "limits",
        discard: "old",
        storage: "file",
        num_replicas: core.requests.engine.options.replicas,
        max_msgs_per_subject: 1,
        allow_rollup_hdrs: false,
        duplicate_window: 0,
    };
    create(core, &config).await?;
    Ok(())
}

/// Creates a stream. Returns its state, or `None` if there is a stream of this name.
pub(crate) async fn create(
    core: &LogCore,
    config: &StreamConfig<'_>,
) -> Result<Option<Info>, StoreError> {
    let subject = format!("STREAM.CREATE.{}", config.name);
    let mut attempts = 0..CREATIONS;
    loop {
        match core.requests.api::<Info>(&subject, config).await {
            Ok(info) => return Ok(Some(info)),
            Err(failure) if failure.is(code::STREAM_EXISTS) => return Ok(None),
            // The subjects overlap with those of the same stream, which another process is creating.
            Err(failure) if failure.is(code::SUBJECTS_OVERLAP) && attempts.next().is_some() => {
                sleep(CREATING).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}
