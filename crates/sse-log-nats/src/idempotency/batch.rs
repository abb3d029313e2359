//! A batch of events of which some have idempotency keys.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sse_core::store::{EncodedEvent, StoreError};
use sse_core::{Epoch, Position};

use crate::batch_codec;
use crate::core::LogCore;
use crate::idempotency::{
    self, ATTEMPTS, MESSAGE_ID, Outcome, ResolvedBatches, too_many_conflicts,
};
use crate::names::Batch;
use crate::position::position;
use crate::publish::publish_batch;

/// Largest number of keys in a batch.
const MOST_KEYS: usize = 10_000;
/// Number of keys that are claimed at a time.
const AT_A_TIME: usize = 64;
/// Time that a batch waits for another whose id is higher.
const SHORT_PATIENCE: Duration = Duration::from_millis(25);
/// Size of the headers of a batch: its id.
const HEADERS_SIZE: usize = "NATS/1.0\r\nNats-Msg-Id: ~\r\n\r\n".len() + 32;

/// Stores the events that are not known. Returns the sequence of their message, if any was stored, and the positions of all events.
pub(crate) async fn append_batch(
    core: &LogCore,
    epoch: Epoch,
    batch: Batch,
    events: &[EncodedEvent],
) -> Result<(Option<u64>, Vec<Position>), StoreError> {
    check_limits(core, events).await?;
    // A key that comes twice belongs to the first event that has it.
    let mut first = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        event.idempotency_key.as_deref().map(|key| *first.entry(key).or_insert(index));
    }
    let is_first = |index: &usize| {
        let key = events[*index].idempotency_key.as_deref();
        key.is_none_or(|key| first[key] == *index)
    };
    let (resolved, mut own) = (ResolvedBatches::default(), Vec::new());
    let mut last =
        (0..events.len()).rev().find(is_first).expect("the first event is the first of its key");
    for _ in 0..ATTEMPTS {
        // No token begins with a tilde.
        own.push(format!("~{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)));
        let claim = Claim { core, epoch, own: &own, resolved: &resolved };
        let known = claim.all(&first, last).await?;
        let is_new = |index: &usize| match events[*index].idempotency_key.as_deref() {
            Some(key) => !known.contains_key(key) && is_first(index),
            None => true,
        };
        let new: Vec<usize> = (0..events.len()).filter(is_new).collect();
        if new.last().is_some_and(|newest| *newest != last) {
            // The notes name another event as the last.
            last = new[new.len() - 1];
            continue;
        }
        let mut sequence = None;
        if !new.is_empty() {
            let stored: Vec<_> =
                new.iter().map(|index| (number(*index, last), &events[*index])).collect();
            let mut headers = HeaderMap::new();
            headers.insert(MESSAGE_ID, claim.batch());
            let ack = publish_batch(core, batch, &batch_codec::parts(&stored), headers).await?;
            if ack.duplicate {
                continue;
            }
            sequence = Some(ack.seq);
        }
        let at = |index: usize| position(sequence.unwrap_or(1), number(index, last));
        let positions = events.iter().enumerate().map(|(index, event)| {
            let Some(key) = event.idempotency_key.as_deref() else { return at(index) };
            known.get(key).copied().unwrap_or_else(|| at(first[key]))
        });
        return Ok((sequence, positions.collect()));
    }
    Err(too_many_conflicts())
}

/// Returns an error if the batch is too large to be stored whole, before any key is claimed.
pub(crate) async fn check_limits(
    core: &LogCore,
    events: &[EncodedEvent],
) -> Result<(), StoreError> {
    let keys = events.iter().filter(|event| event.idempotency_key.is_some()).count();
    if keys > MOST_KEYS {
        let error = format!(
            "a batch has {keys} idempotency keys, but NATS takes at most {MOST_KEYS}: split it"
        );
        return Err(StoreError::failed(error));
    }
    let (client, _) = core.requests.engine.client().await?;
    let most = client.max_payload();
    let size = batch_codec::size(&batch_codec::parts(&batch_codec::numbered(events.iter())))
        + HEADERS_SIZE;
    if size > most {
        let error = format!(
            "a batch of {size} bytes is larger than the max payload of NATS, {most} bytes: split it, or raise `max_payload`"
        );
        return Err(StoreError::failed(error));
    }
    Ok(())
}

/// The claims of keys for a batch: the newest of `own`.
struct Claim<'a> {
    core: &'a LogCore,
    epoch: Epoch,
    own: &'a [String],
    resolved: &'a ResolvedBatches,
}

impl Claim<'_> {
    fn batch(&self) -> &str {
        self.own.last().expect("there is a batch")
    }

    /// Returns the keys that are known, and their positions. It claims the others for the events at these indices.
    async fn all<'k>(
        &self,
        keys: &HashMap<&'k str, usize>,
        last: usize,
    ) -> Result<HashMap<&'k str, Position>, StoreError> {
        let keys: BTreeMap<&str, u32> =
            keys.iter().map(|(key, index)| (*key, number(*index, last))).collect();
        let claims = keys.into_iter().map(|(key, number)| self.one(key, number));
        let mut claims = claims.collect::<Vec<_>>().into_iter();
        // The first key is claimed alone: another process that brings the same events waits there, and has not claimed any other key that is waited for.
        let first = stream::iter(claims.next()).buffered(1);
        let all = first.chain(stream::iter(claims).buffered(AT_A_TIME));
        all.try_filter_map(|known| async move { Ok(known) }).try_collect().await
    }

    /// Returns the key and its position if it is known, and `None` if it is claimed now.
    async fn one<'k>(
        &self,
        key: &'k str,
        number: u32,
    ) -> Result<Option<(&'k str, Position)>, StoreError> {
        let (subject, batch) = (self.core.names.note(), self.batch());
        let note = Bytes::from(format!("{batch} {number}"));
        let patience = |other: &str| match () {
            () if self.own.iter().any(|own| own == other) => Duration::ZERO,
            // If two batches wait for one another, the one with the lower id waits for a short time.
            () if batch < other => SHORT_PATIENCE,
            () => idempotency::PATIENCE,
        };
        let (of, patience) = ((self.epoch, key), (&patience as _, self.resolved));
        match idempotency::publish(self.core, of, subject, HeaderMap::new(), note, patience).await?
        {
            Outcome::Stored(_) => Ok(None),
            Outcome::Known(first) => Ok(Some((key, first))),
        }
    }
}

/// Returns the number of the event at this index, in a batch whose last event is at `last`.
fn number(index: usize, last: usize) -> u32 {
    if index == last { 0 } else { index as u32 + 1 }
}
