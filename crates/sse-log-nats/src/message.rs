use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::Position;
use sse_core::store::{StoredEvent, Topics};

use crate::batch_codec::{self, Part};
use crate::names::{self, BATCH, KEYED, NOTE, Names, SINGLE};
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
        let kind = match rest {
            SINGLE => Some(Self::Single),
            NOTE => Some(Self::Note),
            _ => match (rest.strip_prefix(KEYED), rest.strip_prefix(BATCH)) {
                (Some(key), _) => names::text(key).map(|key| Self::Keyed(key.into())),
                (_, Some(events)) => {
                    let events = events.parse().ok().filter(|events| *events <= MOST_EVENTS);
                    events.map(Self::Batch)
                }
                (None, None) => None,
            },
        };
        kind.unwrap_or(Self::Foreign)
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
                vec![StoredEvent {
                    position: whole,
                    block: self.payload.clone(),
                    key: None,
                    topics: Topics::default(),
                }]
            }
            Kind::Keyed(key) => {
                vec![StoredEvent {
                    position: whole,
                    block: self.payload.clone(),
                    key: Some(key),
                    topics: Topics::default(),
                }]
            }
            Kind::Note | Kind::Foreign => Vec::new(),
            Kind::Batch(_) => {
                let parts = batch_codec::decode(self.payload.clone()).unwrap_or_default();
                let event = |part: Part| {
                    let position = position(self.sequence, part.number);
                    StoredEvent {
                        position,
                        block: part.block,
                        key: part.key,
                        topics: Topics::default(),
                    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The logs that exist have messages of these subjects.
    #[test]
    fn each_subject_is_the_one_of_stored_messages_and_shows_the_kind() {
        let names = Names::new("sse", "log").expect("a name");
        let kinds = [
            (names.single(), "sse.log.e", Kind::Single),
            (names.keyed("a.b"), "sse.log.k.a=2eb", Kind::Keyed("a.b".into())),
            (names.batch(3), "sse.log.m.batch.3", Kind::Batch(3)),
            (names.note(), "sse.log.m.note", Kind::Note),
            (names.id_requests(), "sse.log.m.ask", Kind::Foreign),
        ];
        for (subject, stored, kind) in kinds {
            assert_eq!(subject, stored);
            assert_eq!(Kind::of(&subject, &names), kind, "{subject}");
        }
        assert_eq!(names.events(), ["sse.log.e", "sse.log.k.*", "sse.log.m.batch.*"]);
        assert_eq!(names.multiple(), "sse.log.m.>");
        let foreign = ["e", "sse.other.e", "sse.log.ee", "sse.log.k", "sse.log.k.=zz"];
        for subject in foreign.iter().chain(&["sse.log.m.batch.x", "sse.log.m.batch.99999999999"]) {
            assert_eq!(Kind::of(subject, &names), Kind::Foreign, "{subject}");
        }
    }
}
