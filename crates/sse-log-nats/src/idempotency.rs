//! Idempotency. For some time the server knows the id of each message (`Nats-Msg-Id`), and stores no other message with that id. If an event is alone
//! in its message, the id is the epoch and the idempotency key of the event.
//!
//! A batch has several keys, but a message has one id. So each key is first claimed by a note, whose id is the key; the note names the batch and the place in it. Then
//! the batch is stored under its own id. A process that finds a key claimed waits for a moment, and then blocks that batch: it stores another note under the id of the
//! batch. If the batch was stored before, the key is known. If not, it never will be, and the key is free, under an id that says so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::store::{EncodedEvent, StoreError};
use sse_core::{Epoch, Position};
use tokio::time::{Instant, sleep};

use crate::bounds::{info, load_view};
use crate::core::LogCore;
use crate::error::{code, parse_answer};
use crate::jetstream::Ack;
use crate::lookup::note_at;
use crate::names::token;
use crate::position::position;
use crate::publish;

pub(crate) mod batch;

pub(crate) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// Number of attempts of a batch that other processes block.
pub(crate) const ATTEMPTS: usize = 20;

/// Time to wait for a batch that claims a key, and interval of the checks.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
const CHECK_EVERY: Duration = Duration::from_millis(5);

/// The outcome of a message with an idempotency key.
pub(crate) enum Outcome {
    /// The message was stored, with this sequence.
    Stored(u64),
    /// An event of this key was known, at this position.
    Known(Position),
}

/// The batches that one call has waited for, and the sequences of their messages: `None` for a blocked batch.
#[derive(Debug, Default)]
pub(crate) struct ResolvedBatches(Mutex<HashMap<String, Option<u64>>>);

/// The time to wait for a batch, by its id, and the batches that were resolved.
pub(crate) type Patience<'a> = (&'a (dyn Fn(&str) -> Duration + Sync), &'a ResolvedBatches);

/// Stores a message, unless an event of this key is known in this epoch.
pub(crate) async fn publish(
    core: &LogCore,
    (epoch, key): (Epoch, &str),
    subject: String,
    mut headers: HeaderMap,
    payload: Bytes,
    patience: Patience<'_>,
) -> Result<Outcome, StoreError> {
    let of_key = format!("{}.{}", token(epoch.as_str()), token(key));
    let mut id = of_key.clone();
    for _ in 0..ATTEMPTS {
        headers.insert(MESSAGE_ID, id.clone());
        let stored = publish::publish(core, subject.clone(), headers.clone(), payload.clone());
        let known = match stored.await {
            Ok(ack) if !ack.duplicate => return Ok(Outcome::Stored(ack.seq)),
            Ok(ack) => ack.seq,
            // After the end of the log, the keys that were stored before it are known.
            Err(StoreError::Finished) => find_id(core, &id).await?.ok_or(StoreError::Finished)?,
            Err(error) => return Err(error),
        };
        match resolve(core, known, patience).await? {
            Some(first) => return Ok(Outcome::Known(first)),
            // No token has a tilde.
            None => id = format!("{of_key}~{known}"),
        }
    }
    Err(too_many_conflicts())
}

/// Stores the keys of events in an epoch that began while the events were stored.
pub(crate) async fn record_keys(
    core: &LogCore,
    epoch: Epoch,
    events: impl Iterator<Item = (&EncodedEvent, Position)>,
) -> Result<(), StoreError> {
    for (event, at) in events {
        let Some(key) = event.idempotency_key.as_deref() else { continue };
        let mut headers = HeaderMap::new();
        headers.insert(MESSAGE_ID, format!("{}.{}", token(epoch.as_str()), token(key)));
        let note = Bytes::from(format!("={} {}", at.hi(), at.lo()));
        publish::publish(core, core.names.note(), headers, note).await?;
    }
    Ok(())
}

/// The content of a note.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The event is at this position.
    AtPosition(Position),
    /// If the batch of this id is stored, the event is its event of this number.
    InBatch(String, u32),
    /// There is no such event.
    Nothing,
}

impl Note {
    fn parse(text: &str) -> Self {
        let numbers = |text: &str| {
            let (one, other) = text.split_once(' ')?;
            Some((one.to_owned(), other.parse::<u64>().ok()?))
        };
        if let Some((hi, lo)) = text.strip_prefix('=').and_then(numbers) {
            return hi.parse().map_or(Self::Nothing, |hi| Self::AtPosition(Position::new(hi, lo)));
        }
        match numbers(text) {
            Some((batch, number)) => Self::InBatch(batch, number as u32),
            None if text.is_empty() => Self::Nothing,
            None => Self::InBatch(text.to_owned(), 0),
        }
    }
}

pub(crate) fn too_many_conflicts() -> StoreError {
    StoreError::failed(
        "append failed: other processes stored events with the same idempotency keys in 20 attempts; try again",
    )
}

/// Returns the position of the event whose key this message holds, or `None` if the event was never stored.
async fn resolve(
    core: &LogCore,
    sequence: u64,
    patience: Patience<'_>,
) -> Result<Option<Position>, StoreError> {
    let Some(message) = note_at(core, sequence).await? else {
        check_kept(core, sequence).await?;
        return Ok(Some(Position::new(sequence, 0)));
    };
    let Ok(note) = std::str::from_utf8(&message.payload) else { return Ok(None) };
    let (batch, number) = match Note::parse(note) {
        Note::AtPosition(at) => return Ok(Some(at)),
        Note::Nothing => return Ok(None),
        Note::InBatch(batch, number) => (batch, number),
    };
    let message = wait_for_batch(core, batch, patience).await?;
    Ok(message.map(|message| position(message, number)))
}

/// Returns the message of a batch. If the batch is not stored in time, it is blocked.
async fn wait_for_batch(
    core: &LogCore,
    batch: String,
    (patience, resolved): Patience<'_>,
) -> Result<Option<u64>, StoreError> {
    let lock = || resolved.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(&batch) {
        return Ok(*known);
    }
    let (patience, started) = (patience(&batch), Instant::now());
    // The process that claimed the key may be about to store the batch.
    let mut sequence = find_id(core, &batch).await?;
    while sequence.is_none() && started.elapsed() < patience {
        sleep(CHECK_EVERY).await;
        sequence = find_id(core, &batch).await?;
    }
    let sequence = match sequence {
        Some(sequence) => Some(sequence),
        None => block_batch(core, &batch).await?,
    };
    // Another process may have blocked the batch.
    let message = match sequence {
        Some(sequence) if note_at(core, sequence).await?.is_some() => None,
        Some(sequence) => {
            check_kept(core, sequence).await?;
            Some(sequence)
        }
        None => None,
    };
    lock().insert(batch, message);
    Ok(message)
}

/// Blocks a batch, so that it is never stored. Returns its message if it was stored before.
async fn block_batch(core: &LogCore, batch: &str) -> Result<Option<u64>, StoreError> {
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, batch);
    match publish::publish(core, core.names.note(), headers, Bytes::new()).await {
        Ok(ack) => Ok(ack.duplicate.then_some(ack.seq)),
        // A finished log stores no message.
        Err(StoreError::Finished) => find_id(core, batch).await,
        Err(error) => Err(error),
    }
}

/// Returns an error if this message, which is not a note now, may have been a note that another program removed. The log itself keeps notes for as
/// long as the server knows their ids.
async fn check_kept(core: &LogCore, sequence: u64) -> Result<(), StoreError> {
    if sequence >= info(core, None).await?.state.first_seq {
        return Ok(());
    }
    let view = load_view(core).await?;
    let is_emptied = view.info.state.messages == 0 && view.info.newest() > view.record.floor;
    if view.info.has_limits() || is_emptied {
        let error = "the outcome of this idempotency key is unknown: another program removed its message from the stream";
        return Err(StoreError::outcome_unknown(error));
    }
    Ok(())
}

/// Returns the message of this id, if there is one. It sends a message that cannot be stored: the server checks the id before the expected last id,
/// and no message has the id that this one expects.
async fn find_id(core: &LogCore, id: &str) -> Result<Option<u64>, StoreError> {
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, id);
    headers.insert("Nats-Expected-Last-Msg-Id", "~~");
    let subject = core.names.id_requests();
    let message = core.requests.request(subject, headers, Bytes::new()).await?;
    match parse_answer::<Ack>(&message.payload) {
        Ok(ack) => Ok(Some(ack.seq).filter(|_| ack.duplicate && !ack.is_in_process())),
        Err(failure) if failure.is(code::OTHER_LAST_ID) || failure.is(code::ID_IN_PROCESS) => {
            Ok(None)
        }
        Err(failure) if failure.is(code::TOO_LARGE_FOR_STREAM) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_the_position_or_the_batch_of_an_event() {
        assert_eq!(Note::parse("=7 3"), Note::AtPosition(Position::new(7, 3)));
        assert_eq!(Note::parse("~ab 3"), Note::InBatch("~ab".into(), 3));
        assert_eq!(Note::parse("~ab"), Note::InBatch("~ab".into(), 0));
        for nonsense in ["", "=x 1"] {
            assert_eq!(Note::parse(nonsense), Note::Nothing, "{nonsense:?}");
        }
    }
}
