//! A batch of events of which some have idempotency keys.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sse_core::Cursor;
use sse_core::store::{NewEvent, StoreError};

use crate::append::{self, publish_batch};
use crate::batch;
use crate::once::{self, ATTEMPTS, MESSAGE_ID, Outcome, crowded};
use crate::store::Shared;

/// How many keys a batch may have.
const MOST_KEYS: usize = 10_000;
/// How many of them are claimed at a time.
const AT_A_TIME: usize = 64;
/// How long a batch waits for another whose id is higher.
const IMPATIENCE: Duration = Duration::from_millis(25);
/// What the headers of a batch take: one, with its id.
const HEADERS_SIZE: usize = "NATS/1.0\r\nNats-Msg-Id: ~\r\n\r\n".len() + 32;

/// Stores those of these events that are not known. The answer is the message they are in, if there are any, and the positions of all.
pub(crate) async fn append_batch(
    shared: &Shared,
    events: &[NewEvent],
) -> Result<(Option<u64>, Vec<Cursor>), StoreError> {
    refuse_excess(shared, events).await?;
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

/// Refuses what could not be stored whole, before any key is claimed for it.
async fn refuse_excess(shared: &Shared, events: &[NewEvent]) -> Result<(), StoreError> {
    let keys = events.iter().filter(|event| event.idempotency_key.is_some()).count();
    if keys > MOST_KEYS {
        let error =
            format!("a batch has at most {MOST_KEYS} idempotency keys over NATS, not {keys}");
        return Err(StoreError::failed(error));
    }
    let (client, _) = shared.connection.up().await?;
    let most = client.max_payload();
    let size = batch::size(&batch::parts(&events.iter().collect::<Vec<_>>())) + HEADERS_SIZE;
    if size > most {
        let error =
            format!("a batch of {size} bytes is larger than NATS takes: its max payload is {most}");
        return Err(StoreError::failed(error));
    }
    Ok(())
}

/// Claims the keys of these events for a batch; the answer is those that are known, and where.
async fn claim<'a>(
    shared: &Shared,
    events: &'a [NewEvent],
    batch: &str,
) -> Result<HashMap<&'a str, Cursor>, StoreError> {
    let keys = events.iter().filter_map(|event| event.idempotency_key.as_deref());
    let keys: BTreeSet<&str> = keys.collect();
    let claims = keys.into_iter().map(|key| claim_one(shared, key, batch));
    let mut claims = claims.collect::<Vec<_>>().into_iter();
    // The first alone: whoever brings the same events waits there, and holds no other key that one waits for.
    let first = stream::iter(claims.next()).buffered(1);
    let all = first.chain(stream::iter(claims).buffered(AT_A_TIME));
    all.try_filter_map(|known| async move { Ok(known) }).try_collect().await
}

/// The key and its position where it is known; nothing where it is claimed now.
async fn claim_one<'a>(
    shared: &Shared,
    key: &'a str,
    batch: &str,
) -> Result<Option<(&'a str, Cursor)>, StoreError> {
    let (subject, note) = (shared.names.note(), Bytes::from(batch.to_owned()));
    // Of two batches that wait for one another, one does not wait for long.
    let patience = |other: &str| if batch < other { IMPATIENCE } else { once::PATIENCE };
    match once::publish(shared, key, subject, HeaderMap::new(), note, patience).await? {
        Outcome::Stored(_) => Ok(None),
        Outcome::Known(cursor) => Ok(Some((key, cursor))),
    }
}
