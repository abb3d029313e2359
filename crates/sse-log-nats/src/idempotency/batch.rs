//! A batch of events of which some have idempotency keys.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sse_core::store::{NewEvent, StoreError};
use sse_core::{Cursor, Epoch};

use crate::batch_codec;
use crate::core::LogCore;
use crate::idempotency::{
    self, ATTEMPTS, MESSAGE_ID, Outcome, ResolvedBatches, too_many_conflicts,
};
use crate::position::position;
use crate::publish::publish_batch;

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
    core: &LogCore,
    epoch: Epoch,
    events: &[NewEvent],
) -> Result<(Option<u64>, Vec<Cursor>), StoreError> {
    refuse_excess(core, events).await?;
    // A key that comes twice is of the first that has it.
    let mut first = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        event.idempotency_key.as_deref().map(|key| *first.entry(key).or_insert(place));
    }
    let is_first = |place: &usize| {
        let key = events[*place].idempotency_key.as_deref();
        key.is_none_or(|key| first[key] == *place)
    };
    let (resolved, mut ours) = (ResolvedBatches::default(), Vec::new());
    let mut last = (0..events.len()).rev().find(is_first).expect("the first is the first");
    for _ in 0..ATTEMPTS {
        // No key's token begins with a tilde.
        ours.push(format!("~{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)));
        let claim = Claim { core, epoch, ours: &ours, resolved: &resolved };
        let known = claim.all(&first, last).await?;
        let is_new = |place: &usize| match events[*place].idempotency_key.as_deref() {
            Some(key) => !known.contains_key(key) && is_first(place),
            None => true,
        };
        let new: Vec<usize> = (0..events.len()).filter(is_new).collect();
        if new.last().is_some_and(|newest| *newest != last) {
            // The notes say that another is the last.
            last = new[new.len() - 1];
            continue;
        }
        let mut sequence = None;
        if !new.is_empty() {
            let stored: Vec<_> =
                new.iter().map(|place| (number(*place, last), &events[*place])).collect();
            let mut headers = HeaderMap::new();
            headers.insert(MESSAGE_ID, claim.batch());
            let ack = publish_batch(core, &batch_codec::parts(&stored), headers).await?;
            if ack.duplicate {
                continue;
            }
            sequence = Some(ack.seq);
        }
        let cursor = |place: usize| position(sequence.unwrap_or(1), number(place, last));
        let cursors = events.iter().enumerate().map(|(place, event)| {
            let Some(key) = event.idempotency_key.as_deref() else { return cursor(place) };
            known.get(key).copied().unwrap_or_else(|| cursor(first[key]))
        });
        return Ok((sequence, cursors.collect()));
    }
    Err(too_many_conflicts())
}

/// Refuses what could not be stored whole, before any key is claimed for it.
async fn refuse_excess(core: &LogCore, events: &[NewEvent]) -> Result<(), StoreError> {
    let keys = events.iter().filter(|event| event.idempotency_key.is_some()).count();
    if keys > MOST_KEYS {
        let error =
            format!("a batch has at most {MOST_KEYS} idempotency keys over NATS, not {keys}");
        return Err(StoreError::failed(error));
    }
    let (client, _) = core.requests.engine.client().await?;
    let most = client.max_payload();
    let size = batch_codec::size(&batch_codec::parts(&batch_codec::numbered(events.iter())))
        + HEADERS_SIZE;
    if size > most {
        let error =
            format!("a batch of {size} bytes is larger than NATS takes: its max payload is {most}");
        return Err(StoreError::failed(error));
    }
    Ok(())
}

/// Claims keys for a batch, the newest of these.
struct Claim<'a> {
    core: &'a LogCore,
    epoch: Epoch,
    ours: &'a [String],
    resolved: &'a ResolvedBatches,
}

impl Claim<'_> {
    fn batch(&self) -> &str {
        self.ours.last().expect("there is one")
    }

    /// The keys that are known, and where; the others are claimed for the events at these places.
    async fn all<'k>(
        &self,
        keys: &HashMap<&'k str, usize>,
        last: usize,
    ) -> Result<HashMap<&'k str, Cursor>, StoreError> {
        let keys: BTreeMap<&str, u32> =
            keys.iter().map(|(key, place)| (*key, number(*place, last))).collect();
        let claims = keys.into_iter().map(|(key, number)| self.one(key, number));
        let mut claims = claims.collect::<Vec<_>>().into_iter();
        // The first alone: another process that brings the same events waits there, and holds no other key that is waited for.
        let first = stream::iter(claims.next()).buffered(1);
        let all = first.chain(stream::iter(claims).buffered(AT_A_TIME));
        all.try_filter_map(|known| async move { Ok(known) }).try_collect().await
    }

    /// The key and its position if it is known; nothing if it is claimed now.
    async fn one<'k>(
        &self,
        key: &'k str,
        number: u32,
    ) -> Result<Option<(&'k str, Cursor)>, StoreError> {
        let (subject, batch) = (self.core.names.note(), self.batch());
        let note = Bytes::from(format!("{batch} {number}"));
        let patience = |other: &str| match () {
            () if self.ours.iter().any(|ours| ours == other) => Duration::ZERO,
            // Of two batches that wait for one another, one does not wait for long.
            () if batch < other => IMPATIENCE,
            () => idempotency::PATIENCE,
        };
        let (of, patience) = ((self.epoch, key), (&patience as _, self.resolved));
        match idempotency::publish(self.core, of, subject, HeaderMap::new(), note, patience).await?
        {
            Outcome::Stored(_) => Ok(None),
            Outcome::Known(cursor) => Ok(Some((key, cursor))),
        }
    }
}

/// The number of the event at this place, in a batch of which that is the last.
fn number(place: usize, last: usize) -> u32 {
    if place == last { 0 } else { place as u32 + 1 }
}
