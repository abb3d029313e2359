//! Events as a store is given them, for the tests of stores.

use std::fmt::Display;

use sse_core::store::EncodedEvent;
use sse_core::{Event, NewEvent};

/// An event with this data.
pub fn event(text: impl Display) -> EncodedEvent {
    encoded(text.to_string())
}

/// An event with a key.
pub fn keyed(key: impl Display, text: impl Display) -> EncodedEvent {
    encoded(Event::new(text.to_string()).key(&key.to_string()).expect("a short key"))
}

/// An event with an idempotency key.
pub fn once(key: impl Display, text: impl Display) -> EncodedEvent {
    encoded(Event::new(text.to_string()).idempotency_key(&key.to_string()).expect("a short key"))
}

/// An event with both keys.
pub fn keyed_once(key: impl Display, once: impl Display, text: impl Display) -> EncodedEvent {
    let event = Event::new(text.to_string()).key(&key.to_string()).expect("a short key");
    encoded(event.idempotency_key(&once.to_string()).expect("a short key"))
}

/// Any event, encoded.
///
/// # Panics
///
/// If the event has no data.
pub fn encoded(event: impl Into<NewEvent>) -> EncodedEvent {
    event.into().encode(8 << 20).expect("an event with data")
}
