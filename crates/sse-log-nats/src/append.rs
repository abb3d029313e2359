use std::sync::Arc;

use async_nats::HeaderMap;
use sse_core::store::{Appended, EncodedEvent, StoreError};
use sse_core::{Epoch, Position};

use crate::admission::{admit, stored};
use crate::batch_codec;
use crate::bounds::load_view;
use crate::core::LogCore;
use crate::error::as_outcome_unknown;
use crate::idempotency::{self, ResolvedBatches};
use crate::last;
use crate::names::Batch;
use crate::position::positions;
use crate::publish::{publish, publish_batch};
use crate::topics::header;

mod in_new_epoch;

/// Number of epochs in which an append is tried.
const EPOCHS: usize = 20;

/// Stores these events in one message, so that the server stores all of them or none.
pub(crate) async fn append(
    core: &Arc<LogCore>,
    batch: Batch,
    events: &[EncodedEvent],
) -> Result<Appended, StoreError> {
    let (epoch, _) = seen(core).await?;
    if events.is_empty() {
        return Ok(Appended { epoch, positions: Vec::new() });
    }
    for _ in 0..EPOCHS {
        if let Some(appended) = attempt(core, batch, events).await? {
            return Ok(appended);
        }
    }
    Err(StoreError::failed(
        "append failed: other processes began 20 epochs while it ran; try again",
    ))
}

/// Returns `None` if the events have to be stored in the epoch that has begun meanwhile: each of them was known in the epoch before, or they are lost.
async fn attempt(
    core: &Arc<LogCore>,
    batch: Batch,
    events: &[EncodedEvent],
) -> Result<Option<Appended>, StoreError> {
    let room = admit(core, events).await?;
    let (epoch, newest) = seen(core).await?;
    let (sequence, positions) = match events {
        [event] if batch == Batch::Any => {
            let (sequence, position) = append_one(core, epoch, event).await?;
            (sequence, vec![position])
        }
        events if events.iter().any(|event| event.idempotency_key.is_some()) => {
            idempotency::batch::append_batch(core, epoch, batch, events).await?
        }
        events => {
            let sequence = append_batch(core, batch, events).await?;
            (Some(sequence), positions(sequence, events.len()).collect())
        }
    };
    if let Some(sequence) = sequence {
        stored(room, core, sequence);
    }
    // The engine has received every change that was made before these events were stored.
    core.requests.engine.changes.catch_up();
    let is_another = sequence.is_some_and(|sequence| sequence <= newest.hi());
    if is_another || core.changes.epoch().is_some_and(|notified| notified != epoch) {
        // Either the stream was replaced, since the known stream had this sequence already, or another process has begun an epoch.
        let now = load_view(core).await.map_err(as_outcome_unknown)?.bounds;
        if now.epoch != epoch {
            let finished = in_new_epoch::finish(core, &now, sequence, events, positions);
            return finished.await.map_err(as_outcome_unknown);
        }
        return Ok(Some(Appended { epoch, positions }));
    }
    if let Some(sequence) = sequence {
        core.appended(epoch, Position::new(sequence, 0));
    }
    Ok(Some(Appended { epoch, positions }))
}

/// Returns the last seen epoch and newest position. If there are none, it asks the server.
async fn seen(core: &LogCore) -> Result<(Epoch, Position), StoreError> {
    if let Some(seen) = core.seen() {
        return Ok(seen);
    }
    let bounds = last::complete(core, load_view(core).await?).await?.bounds;
    Ok((bounds.epoch, bounds.newest))
}

/// Stores one event. Returns its position, and the sequence of its message if the message was stored now.
async fn append_one(
    core: &LogCore,
    epoch: Epoch,
    event: &EncodedEvent,
) -> Result<(Option<u64>, Position), StoreError> {
    let (subject, headers) = message_of(core, event);
    if let Some(key) = &event.idempotency_key {
        let block = event.block.clone();
        let resolved = ResolvedBatches::default();
        let patience = |_: &str| idempotency::PATIENCE;
        return match idempotency::publish(
            core,
            (epoch, key),
            subject,
            headers,
            block,
            (&patience, &resolved),
        )
        .await?
        {
            idempotency::Outcome::Stored(sequence) => {
                Ok((Some(sequence), Position::new(sequence, 0)))
            }
            idempotency::Outcome::Known(position) => Ok((None, position)),
        };
    }
    let sequence = publish(core, subject, headers, event.block.clone()).await?.seq;
    Ok((Some(sequence), Position::new(sequence, 0)))
}

/// Returns the subject and the headers of an event that is alone in its message. An event with a key replaces the event before it, whatever its
/// topics: the server does so by subject.
fn message_of(core: &LogCore, event: &EncodedEvent) -> (String, HeaderMap) {
    let (names, mut headers) = (&core.names, HeaderMap::new());
    match (&event.key, &event.topics[..]) {
        (None, []) => return (names.single(), headers),
        (None, [topic]) => return (names.of_topic(topic), headers),
        (Some(_), []) => {}
        (_, topics) => headers.insert(header::NAME, header::of(topics)),
    }
    let Some(key) = &event.key else { return (names.of_topics(), headers) };
    headers.insert("Nats-Rollup", "sub");
    (names.keyed(key), headers)
}

/// Stores events without idempotency keys. Returns the sequence of their message.
async fn append_batch(
    core: &LogCore,
    batch: Batch,
    events: &[EncodedEvent],
) -> Result<u64, StoreError> {
    let parts = batch_codec::parts(&batch_codec::numbered(events.iter()));
    if let (Batch::Any, [_], Some(last)) = (batch, &parts[..], events.last()) {
        // The last event supersedes all others.
        let (subject, headers) = message_of(core, last);
        return Ok(publish(core, subject, headers, last.block.clone()).await?.seq);
    }
    Ok(publish_batch(core, batch, &parts, HeaderMap::new()).await?.seq)
}
