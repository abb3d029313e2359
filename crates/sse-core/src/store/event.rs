use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::store::check;
use crate::{Epoch, Error, Event, Position, encode};

/// An event on its way into a store: what [`NewEvent::encode`](crate::NewEvent::encode) makes of one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedEvent {
    /// The event as it goes out, without the id line and the blank line: what is to be kept.
    pub block: Bytes,
    /// What it says something new of: of the events with one key the newest is enough. At most [`EncodedEvent::MAX_KEY_LEN`] bytes.
    pub key: Option<Arc<str>>,
    /// The application's own name for it, by which a second attempt is known. At most [`EncodedEvent::MAX_KEY_LEN`] bytes.
    pub idempotency_key: Option<Arc<str>>,
}

/// An event as a store gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it is in the log.
    pub position: Position,
    /// As it was given.
    pub block: Bytes,
    /// As it was given.
    pub key: Option<Arc<str>>,
}

/// Where events were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// In which life of the log.
    pub epoch: Epoch,
    /// At which positions, one for each event.
    pub positions: Vec<Position>,
}

impl EncodedEvent {
    /// The longest key, in bytes.
    pub const MAX_KEY_LEN: usize = 128;

    /// Encodes an event for a log, in at most this many bytes.
    ///
    /// # Errors
    ///
    /// What a log refuses ([`EventLog::append`](crate::EventLog::append)).
    pub fn encode(event: &Event, largest: usize) -> Result<Self, Error> {
        if event.id.is_some() {
            return Err(Error::invalid_event("it has an id of its own, and the log gives the ids"));
        }
        if event.data.is_none() {
            return Err(Error::invalid_event(
                "it has no data, so no client would see it: give it data, which may be empty",
            ));
        }
        // Before it is written: its lines may be seven times the text.
        let size = encode::block_len(event);
        if size > largest {
            return Err(Error::too_large(size, largest));
        }
        let mut block = BytesMut::new();
        encode::block(event, &mut block);
        Ok(Self::of_block(block.freeze()))
    }

    /// An event without keys that was encoded before.
    pub(crate) fn of_block(block: Bytes) -> Self {
        Self { block, key: None, idempotency_key: None }
    }

    /// The same, of this key.
    ///
    /// # Errors
    ///
    /// Where the key is empty or longer than [`EncodedEvent::MAX_KEY_LEN`] ([`is_invalid_event`](Error::is_invalid_event)).
    pub fn with_key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { key: Some(checked(key)?), ..self })
    }

    /// The same, with this idempotency key.
    ///
    /// # Errors
    ///
    /// As for [`with_key`](EncodedEvent::with_key).
    pub fn with_idempotency_key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { idempotency_key: Some(checked(key)?), ..self })
    }
}

impl EncodedEvent {
    /// Refuses what [`encode`](EncodedEvent::encode), [`with_key`](EncodedEvent::with_key) and
    /// [`with_idempotency_key`](EncodedEvent::with_idempotency_key) would not have made.
    pub(crate) fn check(&self, largest: usize) -> Result<(), Error> {
        if self.block.len() > largest {
            return Err(Error::too_large(self.block.len(), largest));
        }
        for key in [&self.key, &self.idempotency_key].into_iter().flatten() {
            checked(key)?;
        }
        check::check(&self.block).map_err(Error::invalid_event)
    }
}

pub(crate) fn checked(key: &str) -> Result<Arc<str>, Error> {
    match key.len() {
        1..=EncodedEvent::MAX_KEY_LEN => Ok(key.into()),
        _ => Err(Error::invalid_event("a key has 1 to 128 bytes")),
    }
}
