//! Idempotency. The server knows the id of each message (`Nats-Msg-Id`) for some time, and stores none again whose id it knows. So the id of an
//! event that is alone in its message is its idempotency key.
//!
//! A batch has several keys, and a message one id. So each key is first claimed by a note, whose id is the key and which names the batch; then
//! the batch is stored under its own id. Who finds a key claimed waits for a moment, and then buries that batch: he stores another note under the id of the batch. Either
//! the batch was stored before, and the key is known; or it never will be, and the key is free, under an id that says so.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::Cursor;
use sse_core::store::{NewEvent, StoreError};

use tokio::time::{Instant, sleep};

use crate::api::Ack;
use crate::append::{self, publish_batch};
use crate::batch;
use crate::failure::{answer, code};
use crate::message::{Kind, position};
use crate::name::token;
use crate::read::get;
use crate::store::Shared;

const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How often one begins again, having been buried by another.
const ATTEMPTS: usize = 20;

/// How long one waits for a batch that claims a key, and how often one looks.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What came of a message with an idempotency key.
pub(crate) enum Outcome {
    /// It is the message of this sequence.
    Stored(u64),
    /// There was an event of this key, at this position.
    Known(Cursor),
}

/// Stores a message, unless an event of this key is known.
pub(crate) async fn publish(
    shared: &Shared,
    key: &str,
    subject: String,
    mut headers: HeaderMap,
    payload: Bytes,
) -> Result<Outcome, StoreError> {
    let mut id = token(key);
    for _ in 0..ATTEMPTS {
        headers.insert(MESSAGE_ID, id);
        let ack =
            append::publish(shared, subject.clone(), headers.clone(), payload.clone()).await?;
        if !ack.duplicate {
            return Ok(Outcome::Stored(ack.seq));
        }
        match settle(shared, key, ack.seq).await? {
            Some(cursor) => return Ok(Outcome::Known(cursor)),
            // No token has a tilde.
            None => id = format!("{}~{}", token(key), ack.seq),
        }
    }
    Err(crowded())
}

fn crowded() -> StoreError {
    StoreError::failed("too many others store events with the same idempotency keys")
}

/// The position of the event of this key, of which this message is the first trace; nothing where it never was stored.
async fn settle(shared: &Shared, key: &str, sequence: u64) -> Result<Option<Cursor>, StoreError> {
    let gone = |sequence| Ok(Some(Cursor::new(sequence, 0)));
    let Some(message) = get(shared, sequence).await? else { return gone(sequence) };
    let names = &shared.names;
    if Kind::of(&message.subject, names) != Kind::Note {
        return gone(sequence);
    }
    let Ok(batch) = String::from_utf8(message.payload.into()) else { return Ok(None) };
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, batch);
    // Whoever claimed it may be about to store it.
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && !is_known(shared, &headers).await? {
        sleep(LOOK_EVERY).await;
    }
    let buried = append::publish(shared, names.note(), headers, Bytes::new()).await?;
    if !buried.duplicate {
        return Ok(None);
    }
    let Some(batch) = get(shared, buried.seq).await? else { return gone(buried.seq) };
    let parts = batch::decode(batch.payload).unwrap_or_default();
    let part = parts.iter().find(|part| part.idempotency_key.as_deref() == Some(key));
    Ok(part.map(|part| position(buried.seq, part)))
}

/// Whether there is a message of this id. Asked by one that cannot be stored, since ids are looked at before what is expected.
async fn is_known(shared: &Shared, id: &HeaderMap) -> Result<bool, StoreError> {
    let mut headers = id.clone();
    headers.insert("Nats-Expected-Last-Sequence", u64::MAX.to_string());
    let subject = shared.names.note();
    let message = shared.connection.request(subject, headers, Bytes::new()).await?;
    match answer::<Ack>(&message.payload) {
        Ok(ack) => Ok(ack.duplicate),
        Err(failure)
            if failure.is(code::OTHER_LAST_SEQUENCE) || failure.is(code::TOO_LARGE_FOR_STREAM) =>
        {
            Ok(false)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Stores those of these events that are not known. The answer is the message they are in, if there are any, and the positions of all.
pub(crate) async fn append_batch(
    shared: &Shared,
    events: &[NewEvent],
) -> Result<(Option<u64>, Vec<Cursor>), StoreError> {
    for _ in 0..ATTEMPTS {
        // No key's token begins with a tilde.
        let id = format!("~{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let known = claim(shared, events, &id).await?;
        // A key that comes twice is of the first that has it.
        let mut first = HashMap::new();
        let is_new = |place: &usize| match events[*place].idempotency_key.as_deref() {
            Some(key) => !known.contains_key(key) && *first.entry(key).or_insert(*place) == *place,
            None => true,
        };
        let new: Vec<usize> = (0..events.len()).filter(is_new).collect();
        let mut sequence = None;
        let mut cursors = vec![Cursor::START; events.len()];
        if !new.is_empty() {
            let stored: Vec<_> = new.iter().map(|place| &events[*place]).collect();
            let mut headers = HeaderMap::new();
            headers.insert(MESSAGE_ID, id);
            let ack = publish_batch(shared, &batch::parts(&stored), headers).await?;
            if ack.duplicate {
                continue;
            }
            sequence = Some(ack.seq);
            for (place, cursor) in new.iter().zip(append::cursors(ack.seq, new.len())) {
                cursors[*place] = cursor;
            }
        }
        for place in 0..events.len() {
            let Some(key) = events[place].idempotency_key.as_deref() else { continue };
            if let Some(cursor) = known.get(key) {
                cursors[place] = *cursor;
            } else if let Some(first) = first.get(key) {
                cursors[place] = cursors[*first];
            }
        }
        return Ok((sequence, cursors));
    }
    Err(crowded())
}

/// Claims the keys of these events for a batch; the answer is those that are known, and where.
async fn claim<'a>(
    shared: &Shared,
    events: &'a [NewEvent],
    batch: &str,
) -> Result<HashMap<&'a str, Cursor>, StoreError> {
    let keys = events.iter().filter_map(|event| event.idempotency_key.as_deref());
    // In one order, whoever claims them: so that no two wait for one another.
    let keys: BTreeSet<&str> = keys.collect();
    let mut known = HashMap::new();
    for key in keys {
        let note = Bytes::from(batch.to_owned());
        let subject = shared.names.note();
        if let Outcome::Known(cursor) =
            publish(shared, key, subject, HeaderMap::new(), note).await?
        {
            known.insert(key, cursor);
        }
    }
    Ok(known)
}
