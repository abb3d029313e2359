use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use sse_core::store::{StoredEvent, Topics};
use sse_core::{Position, Topic};

use crate::batch_codec::{self, Part};
use crate::names::{self, BATCH, KEYED, LAST, NOTE, Names, SINGLE, TOPIC, TOPICS};
use crate::position::position;
use crate::topics::header;

/// A message of the stream of a log.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
    /// The time at which it was stored, in nanoseconds since 1970.
    pub(crate) time: u64,
    /// The topics in its header, as it was stored.
    pub(crate) topics: Option<String>,
}

/// A number of events that no message has room for, even the largest.
const MOST_EVENTS: u64 = 1 << 24;

/// The kind of a message, by its subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    /// One event of this topic alone.
    OfTopic(Topic),
    /// One event of several topics, which are in the header.
    OfTopics,
    /// One event of this key. Its topics are in the header, if it has any.
    Keyed(Arc<str>),
    Batch(u64),
    /// A batch after which the log is to be finished.
    Last(u64),
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
            TOPICS => Some(Self::OfTopics),
            NOTE => Some(Self::Note),
            _ => Self::with_token(rest),
        };
        kind.unwrap_or(Self::Foreign)
    }

    fn with_token(rest: &str) -> Option<Self> {
        if let Some(topic) = rest.strip_prefix(TOPIC) {
            return Some(Self::OfTopic(names::text(topic)?.try_into().ok()?));
        }
        if let Some(key) = rest.strip_prefix(KEYED) {
            return Some(Self::Keyed(names::text(key)?.into()));
        }
        let events = |number: &str| number.parse().ok().filter(|events| *events <= MOST_EVENTS);
        match rest.strip_prefix(LAST) {
            Some(number) => events(number).map(Self::Last),
            None => events(rest.strip_prefix(BATCH)?).map(Self::Batch),
        }
    }

    /// Returns the number of its events.
    pub(crate) fn events(&self) -> u64 {
        match self {
            Self::Single | Self::OfTopic(_) | Self::OfTopics | Self::Keyed(_) => 1,
            Self::Batch(events) | Self::Last(events) => *events,
            Self::Note | Self::Foreign => 0,
        }
    }
}

impl Message {
    /// Returns its events, oldest first. An event whose topics cannot be read is not given: it would go to every stream.
    pub(crate) fn events(&self, names: &Names) -> Vec<StoredEvent> {
        let in_header = || self.topics.as_deref().map(header::parse);
        let one = |key, topics: Option<Topics>| {
            let position = Position::new(self.sequence, 0);
            let block = self.payload.clone();
            let event = topics.map(|topics| StoredEvent { position, block, key, topics });
            Vec::from_iter(event)
        };
        match Kind::of(&self.subject, names) {
            Kind::Single => one(None, Some(Topics::default())),
            Kind::OfTopic(topic) => one(None, Topics::new([topic]).ok()),
            Kind::OfTopics => one(None, in_header().flatten()),
            Kind::Keyed(key) => {
                one(Some(key), in_header().unwrap_or_else(|| Some(Topics::default())))
            }
            Kind::Note | Kind::Foreign => Vec::new(),
            Kind::Batch(_) | Kind::Last(_) => {
                let parts = batch_codec::decode(self.payload.clone()).unwrap_or_default();
                let event = |part: Part| {
                    let position = position(self.sequence, part.number);
                    let Part { block, key, topics, .. } = part;
                    StoredEvent { position, block, key, topics }
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
    use crate::names::Batch;

    /// The logs that exist have messages of these subjects.
    #[test]
    fn each_subject_is_the_one_of_stored_messages_and_shows_the_kind() {
        let names = Names::new("sse", "log").expect("a name");
        let kinds = [
            (names.single(), "sse.log.e", Kind::Single),
            (
                names.of_topic(&Topic::from_static("a.b")),
                "sse.log.t.a=2eb",
                Kind::OfTopic(Topic::from_static("a.b")),
            ),
            (names.of_topics(), "sse.log.s", Kind::OfTopics),
            (names.keyed("a.b"), "sse.log.k.a=2eb", Kind::Keyed("a.b".into())),
            (names.batch(Batch::Any, 3), "sse.log.m.batch.3", Kind::Batch(3)),
            (names.batch(Batch::Last, 3), "sse.log.m.batch.last.3", Kind::Last(3)),
            (names.note(), "sse.log.m.note", Kind::Note),
            (names.id_requests(), "sse.log.m.ask", Kind::Foreign),
        ];
        for (subject, stored, kind) in kinds {
            assert_eq!(subject, stored);
            assert_eq!(names.is_last(&subject), matches!(kind, Kind::Last(_)), "{subject}");
            assert_eq!(Kind::of(&subject, &names), kind, "{subject}");
        }
        let of_any_topic = ["sse.log.s", "sse.log.k.*", "sse.log.m.batch.>"];
        assert_eq!(names.of_any_topic(), of_any_topic);
        assert_eq!(names.events()[..2], ["sse.log.e", "sse.log.t.*"]);
        assert_eq!(names.events()[2..], of_any_topic);
        assert_eq!(names.multiple(), "sse.log.m.>");
        let foreign =
            ["e", "sse.other.e", "sse.log.ee", "sse.log.k", "sse.log.k.=zz", "sse.log.t.=0a"];
        for subject in foreign.iter().chain(&[
            "sse.log.m.batch.x",
            "sse.log.m.batch.last",
            "sse.log.m.batch.99999999999",
        ]) {
            assert_eq!(Kind::of(subject, &names), Kind::Foreign, "{subject}");
        }
    }
}
