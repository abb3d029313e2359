use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::Position;
use sse_core::store::StoredEvent;

use crate::batch_codec::{self, Part};
use crate::names::{self, Names};
use crate::position::position;

/// A message of the stream of a log.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
    /// The time at which it was stored, in nanoseconds since 1970.
    pub(crate) time: u64,
}

/// A number of events that no message has room for, even the largest.
const MOST_EVENTS: u64 = 1 << 24;

/// The kind of a message, by its subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    Keyed(Arc<str>),
    Batch(u64),
    /// A note on an idempotency key, without events.
    Note,
    /// A message of another program.
    Foreign,
}

impl Kind {
    pub(crate) fn of(subject: &str, names: &Names) -> Self {
        let Some(rest) = subject.strip_prefix(&names.prefix) else { return Self::Foreign };
        match rest.split_once('.') {
            None if rest == "e" => Self::Single,
            Some(("m", "note")) => Self::Note,
            Some(("k", key)) => {
                names::text(key).map_or(Self::Foreign, |key| Self::Keyed(key.into()))
            }
            Some(("m", batch)) => {
                let events = batch.strip_prefix("batch.").and_then(|events| events.parse().ok());
                events.filter(|events| *events <= MOST_EVENTS).map_or(Self::Foreign, Self::Batch)
            }
            _ => Self::Foreign,
        }
    }

    /// Returns the number of its events.
    pub(crate) fn events(&self) -> u64 {
        match self {
            Self::Single | Self::Keyed(_) => 1,
            Self::Batch(events) => *events,
            Self::Note | Self::Foreign => 0,
        }
    }
}

impl Message {
    /// Returns its events, oldest first.
    pub(crate) fn events(&self, names: &Names) -> Vec<StoredEvent> {
        let whole = Position::new(self.sequence, 0);
        match Kind::of(&self.subject, names) {
            Kind::Single => {
                vec![StoredEvent { position: whole, block: self.payload.clone(), key: None }]
            }
            Kind::Keyed(key) => {
                vec![StoredEvent { position: whole, block: self.payload.clone(), key: Some(key) }]
            }
            Kind::Note | Kind::Foreign => Vec::new(),
            Kind::Batch(_) => {
                let parts = batch_codec::decode(self.payload.clone()).unwrap_or_default();
                let event = |part: Part| {
                    let position = position(self.sequence, part.number);
                    StoredEvent { position, block: part.block, key: part.key }
                };
                parts.into_iter().map(event).collect()
            }
        }
    }
}

/// Returns the size of the headers of a message, if it has any besides `Nats-Msg-Size`, which the server adds
/// in place of the payload.
pub(crate) fn headers_size(headers: Option<&HeaderMap>) -> u64 {
    let own = headers.into_iter().flat_map(HeaderMap::iter);
    let own = own.filter(|(name, _)| AsRef::<str>::as_ref(name) != MESSAGE_SIZE);
    let size: usize = own
        .flat_map(|(name, values)| {
            let name: &str = name.as_ref();
            values.iter().map(|value| name.len() + value.as_str().len() + ": \r\n".len())
        })
        .sum();
    if size == 0 { 0 } else { (size + "NATS/1.0\r\n\r\n".len() + 4) as u64 }
}

/// The header that has the size of the payload if only headers are delivered.
pub(crate) const MESSAGE_SIZE: &str = "Nats-Msg-Size";
