use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::store::check;
use crate::{Epoch, Error, Event, Position, encode};

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
    /// The key: of the events with one key a store needs to keep only the newest. At most [`EncodedEvent::MAX_KEY_LEN`] bytes.
    pub key: Option<Arc<str>>,
    /// The application's own name for the event, by which a store recognizes a second attempt. At most [`EncodedEvent::MAX_KEY_LEN`] bytes.
    pub idempotency_key: Option<Arc<str>>,
}

/// An event as a store returns it.
///
/// ```
/// use sse_core::{NewEvent, Position, store::StoredEvent};
///
/// let event = NewEvent::from("hello").encode(1024)?;
/// let stored = StoredEvent { position: Position::from(7), block: event.block, key: event.key };
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
    /// The length of the longest key: 128 bytes.
    ///
    /// ```
    /// use sse_core::store::EncodedEvent;
    ///
    /// let event = EncodedEvent::encode(&"x".into(), 1024)?;
    /// let key = "k".repeat(EncodedEvent::MAX_KEY_LEN + 1);
    /// assert!(event.with_key(&key).unwrap_err().is_invalid_event());
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    pub const MAX_KEY_LEN: usize = 128;

    /// Encodes an event for a log, in at most this many bytes.
    ///
    /// ```
    /// use sse_core::{Event, store::EncodedEvent};
    ///
    /// let event = EncodedEvent::encode(&Event::typed("tick", "12:00"), 1024)?;
    /// assert_eq!(event.block, "event: tick\ndata: 12:00\n");
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_invalid_event`](Error::is_invalid_event) if the event has an id, or no data.
    /// - [`is_too_large`](Error::is_too_large) if it would have more bytes.
    pub fn encode(event: &Event, largest: usize) -> Result<Self, Error> {
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
        let mut block = BytesMut::new();
        encode::block(event, &mut block);
        Ok(Self::of_block(block.freeze()))
    }

    /// Makes an event without keys of a block that was encoded before.
    pub(crate) fn of_block(block: Bytes) -> Self {
        Self { block, key: None, idempotency_key: None }
    }

    /// Sets the key.
    ///
    /// ```
    /// use sse_core::store::EncodedEvent;
    ///
    /// let event = EncodedEvent::encode(&"12 %".into(), 1024)?.with_key("cpu")?;
    /// assert_eq!(event.key.as_deref(), Some("cpu"));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_invalid_event`](Error::is_invalid_event) if the key is empty or longer than [`EncodedEvent::MAX_KEY_LEN`].
    pub fn with_key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { key: Some(checked(key)?), ..self })
    }

    /// Sets the idempotency key.
    ///
    /// ```
    /// use sse_core::store::EncodedEvent;
    ///
    /// let event = EncodedEvent::encode(&"paid".into(), 1024)?.with_idempotency_key("order 7")?;
    /// assert_eq!(event.idempotency_key.as_deref(), Some("order 7"));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The same as [`with_key`](EncodedEvent::with_key).
    pub fn with_idempotency_key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { idempotency_key: Some(checked(key)?), ..self })
    }
}

impl EncodedEvent {
    /// Refuses an event that [`encode`](EncodedEvent::encode), [`with_key`](EncodedEvent::with_key) and
    /// [`with_idempotency_key`](EncodedEvent::with_idempotency_key) cannot have made.
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
