//! The codec of a batch: several events in one message.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sse_core::Topic;
use sse_core::store::{EncodedEvent, Topics};

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The number of the event in its batch: counted from 1, and 0 for the last event.
    pub(crate) number: u32,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) topics: Topics,
    pub(crate) block: Bytes,
}

/// The format of a batch without topics, and of one in which each part has a list of topics.
const FORMAT: u8 = 2;
const WITH_TOPICS: u8 = 3;

/// Numbers events that are a whole batch.
pub(crate) fn numbered<'a>(
    events: impl ExactSizeIterator<Item = &'a EncodedEvent>,
) -> Vec<(u32, &'a EncodedEvent)> {
    let last = events.len();
    let number = |index| if index + 1 == last { 0 } else { index as u32 + 1 };
    events.enumerate().map(|(index, event)| (number(index), event)).collect()
}

/// Returns the parts of a batch of these numbered events, without those that a later event supersedes.
pub(crate) fn parts(events: &[(u32, &EncodedEvent)]) -> Vec<Part> {
    let mut newer = HashSet::new();
    let mut parts: Vec<Part> = Vec::with_capacity(events.len());
    for (number, event) in events.iter().rev() {
        if event.key.as_ref().is_none_or(|key| newer.insert(Arc::clone(key))) {
            let (key, block) = (event.key.clone(), event.block.clone());
            parts.push(Part { number: *number, key, topics: event.topics.clone(), block });
        }
    }
    parts.reverse();
    parts
}

/// Returns the number of bytes that the parts take.
pub(crate) fn size(parts: &[Part]) -> usize {
    let topics =
        |part: &Part| 1 + part.topics.iter().map(|topic| 1 + topic.as_str().len()).sum::<usize>();
    let topics = if have_topics(parts) { parts.iter().map(topics).sum() } else { 0 };
    let of = |part: &Part| 4 + 1 + part.key.as_deref().map_or(0, str::len) + 4 + part.block.len();
    1 + topics + parts.iter().map(of).sum::<usize>()
}

fn have_topics(parts: &[Part]) -> bool {
    parts.iter().any(|part| !part.topics.is_empty())
}

pub(crate) fn encode(parts: &[Part]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(size(parts));
    let have_topics = have_topics(parts);
    bytes.put_u8(if have_topics { WITH_TOPICS } else { FORMAT });
    for part in parts {
        bytes.put_u32(part.number);
        // A key and a topic have 1 to 128 bytes, and an event has at most 8 topics.
        put_text(&mut bytes, part.key.as_deref().unwrap_or_default());
        if have_topics {
            bytes.put_u8(part.topics.len() as u8);
            part.topics.iter().for_each(|topic| put_text(&mut bytes, topic.as_str()));
        }
        bytes.put_u32(part.block.len() as u32);
        bytes.put_slice(&part.block);
    }
    bytes.freeze()
}

fn put_text(bytes: &mut BytesMut, text: &str) {
    bytes.put_u8(text.len() as u8);
    bytes.put_slice(text.as_bytes());
}

/// Returns the parts of a payload, or `None` if this crate did not write it.
pub(crate) fn decode(mut bytes: Bytes) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let have_topics = match bytes.try_get_u8().ok()? {
        FORMAT => false,
        WITH_TOPICS => true,
        _ => return None,
    };
    while bytes.has_remaining() {
        let number = bytes.try_get_u32().ok()?;
        let key = text(&mut bytes)?;
        let key = (!key.is_empty()).then(|| key.into());
        let topics = if have_topics { topics(&mut bytes)? } else { Topics::default() };
        let len = bytes.try_get_u32().ok()? as usize;
        let block = take(&mut bytes, len)?;
        parts.push(Part { number, key, topics, block });
    }
    Some(parts)
}

fn topics(bytes: &mut Bytes) -> Option<Topics> {
    let count = bytes.try_get_u8().ok()?;
    let topics = (0..count).map(|_| Topic::try_from(text(bytes)?).ok());
    Topics::new(topics.collect::<Option<Vec<_>>>()?).ok()
}

fn text(bytes: &mut Bytes) -> Option<String> {
    let len = bytes.try_get_u8().ok()?.into();
    String::from_utf8(take(bytes, len)?.to_vec()).ok()
}

fn take(bytes: &mut Bytes, len: usize) -> Option<Bytes> {
    (len <= bytes.len()).then(|| bytes.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sse_core::NewEvent;

    fn event(text: &str) -> EncodedEvent {
        NewEvent::from(text).encode(1000).expect("data alone")
    }

    fn keyed(key: &str, text: &str) -> EncodedEvent {
        let event = NewEvent::from(text).key(key).expect("a short key");
        event.encode(1000).expect("data alone")
    }

    #[test]
    fn decoding_returns_a_batch_without_its_superseded_events() {
        let events = [keyed("a", "1"), keyed("a", "2"), event("3"), keyed("a", "4"), event("5")];
        let parts = parts(&numbered(events.iter()));
        let numbers: Vec<_> = parts.iter().map(|part| part.number).collect();
        assert_eq!(numbers, [3, 4, 0]);
        assert_eq!(encode(&parts).len(), size(&parts));
        assert_eq!(decode(encode(&parts)), Some(parts));
    }

    /// Stored batches have these bytes, and a log without topics has no others.
    #[test]
    fn a_batch_without_topics_is_in_the_format_before_topics() {
        let events = [keyed("a", "1"), event("2")];
        let bytes = encode(&parts(&numbered(events.iter())));
        let stored = b"\x02\0\0\0\x01\x01a\0\0\0\x08data: 1\n\0\0\0\0\0\0\0\0\x08data: 2\n";
        assert_eq!(bytes, stored[..]);
    }

    #[test]
    fn a_truncated_batch_is_not_decoded() {
        let of_topics = NewEvent::from("1").topic("a").and_then(|event| event.topic("b"));
        let of_topics = of_topics.and_then(|event| event.encode(1000)).expect("two topics");
        for (events, before_block) in
            [([keyed("a", "1"), event("2")], 4 + 2 + 4), ([of_topics, event("2")], 4 + 1 + 5 + 4)]
        {
            let parts = parts(&numbered(events.iter()));
            let bytes = encode(&parts);
            let whole = bytes.len();
            assert_eq!((whole, decode(bytes.clone())), (size(&parts), Some(parts)));
            let first = 1 + before_block + events[0].block.len();
            for len in 0..whole {
                let is_whole = len == 1 || len == first;
                assert_eq!(decode(bytes.slice(..len)).is_some(), is_whole, "{len} of {whole}");
            }
        }
        assert_eq!(decode(Bytes::from_static(b"\x01")), None, "another format");
    }
}
