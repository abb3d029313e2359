use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::store::{Topics, check};
use crate::{Epoch, Error, Event, Position, encode};

/// The length of the longest key.
pub(crate) const MAX_KEY_LEN: usize = 128;

/// An event on its way into a store. [`NewEvent::encode`](crate::NewEvent::encode) makes it.
///
/// ```
/// use sse_core::NewEvent;
/// use sse_core::store::EncodedEvent;
///
/// let event: EncodedEvent = NewEvent::from("12 %").key("cpu")?.encode(1024)?;
/// assert_eq!(event.block, "data: 12 %\n");
/// assert_eq!(event.key.as_deref(), Some("cpu"));
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedEvent {
    /// The bytes to keep: the event as it goes out, without the id line and the blank line.
    pub block: Bytes,
    /// The key: of the events with one key a store needs to keep only the newest. At most
    /// [`NewEvent::MAX_KEY_LEN`](crate::NewEvent::MAX_KEY_LEN) bytes.
    pub key: Option<Arc<str>>,
    /// The application's own name for the event, by which a store recognizes a second attempt. At most
    /// [`NewEvent::MAX_KEY_LEN`](crate::NewEvent::MAX_KEY_LEN) bytes.
    pub idempotency_key: Option<Arc<str>>,
    /// Its topics. They are not written to the wire.
    pub topics: Topics,
}

/// An event as a store returns it.
///
/// ```
/// use sse_core::{NewEvent, Position, store::StoredEvent};
///
/// let event = NewEvent::from("hello").encode(1024)?;
/// let stored = StoredEvent { position: Position::from(7), block: event.block, key: event.key, topics: event.topics };
/// assert_eq!(stored.block, "data: hello\n");
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct StoredEvent {
    /// The position in the log.
    pub position: Position,
    /// The block of the [`EncodedEvent`].
    pub block: Bytes,
    /// The key of the [`EncodedEvent`].
    pub key: Option<Arc<str>>,
    /// The topics with which it was appended. If an engine loses them, the event would go to every stream.
    pub topics: Topics,
}

/// The positions at which events were stored.
///
/// ```
/// use sse_core::{Epoch, Position, store::Appended};
///
/// let appended = Appended { epoch: Epoch::random()?, positions: vec![Position::from(7)] };
/// let id = appended.positions[0].id(appended.epoch);
/// assert!(id.as_str().ends_with(".7"));
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "stores make it: one that lacks a new part must not compile"
)]
pub struct Appended {
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The positions, one for each event.
    pub positions: Vec<Position>,
}

impl EncodedEvent {
    /// Encodes an event for a log, in at most this many bytes.
    pub(crate) fn encode(event: &Event, largest: usize) -> Result<Self, Error> {
        if event.id.is_some() {
            return Err(Error::invalid_event("it has an id of its own, and the log gives the ids"));
        }
        if event.data.is_none() {
            return Err(Error::invalid_event(
                "it has no data, so no client would see it: give it data, which may be empty",
            ));
        }
        // Checked before it is written, because its lines may be seven times the text.
        let size = encode::block_len(event);
        if size > largest {
            return Err(Error::too_large(size, largest));
        }
        #[cfg(test)]
        crate::log::work::encode(1);
        let mut block = BytesMut::new();
        encode::block(event, &mut block);
        Ok(Self::of_block(block.freeze()))
    }

    /// Makes an event without keys of a block that was encoded before.
    pub(crate) fn of_block(block: Bytes) -> Self {
        Self { block, key: None, idempotency_key: None, topics: Topics::default() }
    }

    /// Refuses an event that [`NewEvent::encode`](crate::NewEvent::encode) cannot have made.
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
        1..=MAX_KEY_LEN => Ok(key.into()),
        _ => Err(Error::invalid_event("a key has 1 to 128 bytes")),
    }
}
