//! Idempotency. The server knows the id of each message (`Nats-Msg-Id`) for some time, and stores none again whose id it knows. So the id of an
//! event that is alone in its message is its idempotency key.
//!
//! A batch has several keys, and a message one id. So each key is first claimed by a note, whose id is the key and which names the batch; then
//! the batch is stored under its own id. Who finds a key claimed waits for a moment, and then buries that batch: he stores another note under the id of the batch. Either
//! the batch was stored before, and the key is known; or it never will be, and the key is free, under an id that says so.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::Cursor;
use sse_core::store::StoreError;
use tokio::time::{Instant, sleep};

use crate::api::Ack;
use crate::batch;
use crate::bounds::look;
use crate::failure::{answer, code};
use crate::get::get;
use crate::message::{Kind, position};
use crate::name::token;
use crate::publish;
use crate::store::Shared;

pub(crate) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How often one begins again, having been buried by another.
pub(crate) const ATTEMPTS: usize = 20;

/// How long one waits for a batch that claims a key, and how often one looks.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What came of a message with an idempotency key.
pub(crate) enum Outcome {
    /// It is the message of this sequence.
    Stored(u64),
    /// There was an event of this key, at this position.
    Known(Cursor),
}

/// Stores a message, unless an event of this key is known. `patience` is how long it waits for a batch, by its id.
pub(crate) async fn publish(
    shared: &Shared,
    key: &str,
    subject: String,
    mut headers: HeaderMap,
    payload: Bytes,
    patience: impl Fn(&str) -> Duration,
) -> Result<Outcome, StoreError> {
    let mut id = token(key);
    for _ in 0..ATTEMPTS {
        headers.insert(MESSAGE_ID, id);
        let ack =
            publish::publish(shared, subject.clone(), headers.clone(), payload.clone()).await?;
        if !ack.duplicate {
            return Ok(Outcome::Stored(ack.seq));
        }
        match settle(shared, key, ack.seq, &patience).await? {
            Some(cursor) => return Ok(Outcome::Known(cursor)),
            // No token has a tilde.
            None => id = format!("{}~{}", token(key), ack.seq),
        }
    }
    Err(crowded())
}

pub(crate) fn crowded() -> StoreError {
    StoreError::failed("too many others store events with the same idempotency keys")
}

/// The position of the event of this key, of which this message is the first trace; nothing where it never was stored.
async fn settle(
    shared: &Shared,
    key: &str,
    sequence: u64,
    patience: &impl Fn(&str) -> Duration,
) -> Result<Option<Cursor>, StoreError> {
    let known = |sequence| Ok(Some(Cursor::new(sequence, 0)));
    let Some(message) = get(shared, sequence).await? else {
        return known(was_let_go(shared, sequence).await?);
    };
    let names = &shared.names;
    if Kind::of(&message.subject, names) != Kind::Note {
        return known(sequence);
    }
    let Ok(batch) = String::from_utf8(message.payload.into()) else { return Ok(None) };
    let (patience, begun) = (patience(&batch), Instant::now());
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, batch);
    // Whoever claimed it may be about to store it.
    while begun.elapsed() < patience && !is_known(shared, &headers).await? {
        sleep(LOOK_EVERY).await;
    }
    let buried = publish::publish(shared, names.note(), headers, Bytes::new()).await?;
    if !buried.duplicate {
        return Ok(None);
    }
    let Some(batch) = get(shared, buried.seq).await? else {
        return known(was_let_go(shared, buried.seq).await?);
    };
    let parts = batch::decode(batch.payload).unwrap_or_default();
    let part = parts.iter().find(|part| part.idempotency_key.as_deref() == Some(key));
    Ok(part.map(|part| position(buried.seq, part)))
}

/// A message of this id that is gone was an event: notes are kept for as long as the server knows their ids. Unless others let go of them.
async fn was_let_go(shared: &Shared, sequence: u64) -> Result<u64, StoreError> {
    let look = look(shared).await?;
    let is_emptied = look.info.state.messages == 0 && look.info.newest() > look.record.floor;
    if look.info.has_limits() || is_emptied {
        let error = "what was stored under this idempotency key was removed by others";
        return Err(StoreError::outcome_unknown(error));
    }
    Ok(sequence)
}

/// Whether there is a message of this id. Asked by one that cannot be stored, since ids are looked at before what is expected.
async fn is_known(shared: &Shared, id: &HeaderMap) -> Result<bool, StoreError> {
    let mut headers = id.clone();
    headers.insert("Nats-Expected-Last-Sequence", u64::MAX.to_string());
    let subject = shared.names.note();
    let message = shared.connection.request(subject, headers, Bytes::new()).await?;
    match answer::<Ack>(&message.payload) {
        Ok(ack) => Ok(ack.duplicate && !ack.is_in_process()),
        Err(failure) if failure.is_other_last() || failure.is(code::ID_IN_PROCESS) => Ok(false),
        Err(failure) if failure.is(code::TOO_LARGE_FOR_STREAM) => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}
