//! The codec of a batch: several events in one message.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sse_core::store::EncodedEvent;

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The number of the event in its batch: counted from 1, and 0 for the last event.
    pub(crate) number: u32,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) block: Bytes,
}

const FORMAT: u8 = 2;

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
            parts.push(Part { number: *number, key, block });
        }
    }
    parts.reverse();
    parts
}

/// Returns the number of bytes that the parts take.
pub(crate) fn size(parts: &[Part]) -> usize {
    let of = |part: &Part| 4 + 1 + part.key.as_deref().map_or(0, str::len) + 4 + part.block.len();
    1 + parts.iter().map(of).sum::<usize>()
}

pub(crate) fn encode(parts: &[Part]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(size(parts));
    bytes.put_u8(FORMAT);
    for part in parts {
        bytes.put_u32(part.number);
        let key = part.key.as_deref().unwrap_or_default();
        // A key has 1 to 128 bytes.
        bytes.put_u8(key.len() as u8);
        bytes.put_slice(key.as_bytes());
        bytes.put_u32(part.block.len() as u32);
        bytes.put_slice(&part.block);
    }
    bytes.freeze()
}

/// Returns the parts of a payload, or `None` if this crate did not write it.
pub(crate) fn decode(mut bytes: Bytes) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    if bytes.try_get_u8().ok()? != FORMAT {
        return None;
    }
    while bytes.has_remaining() {
        let number = bytes.try_get_u32().ok()?;
        let key = key(&mut bytes)?;
        let len = bytes.try_get_u32().ok()? as usize;
        let block = take(&mut bytes, len)?;
        parts.push(Part { number, key, block });
    }
    Some(parts)
}

fn key(bytes: &mut Bytes) -> Option<Option<Arc<str>>> {
    let len = bytes.try_get_u8().ok()?.into();
    let key = take(bytes, len)?;
    let key = std::str::from_utf8(&key).ok()?;
    Some((!key.is_empty()).then(|| key.into()))
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

    #[test]
    fn a_truncated_batch_is_not_decoded() {
        let events = [keyed("a", "1"), event("2")];
        let bytes = encode(&parts(&numbered(events.iter())));
        let whole = bytes.len();
        let first = 1 + 4 + 2 + 4 + events[0].block.len();
        for len in 0..whole {
            let is_whole = len == 1 || len == first;
            assert_eq!(decode(bytes.slice(..len)).is_some(), is_whole, "{len} of {whole}");
        }
        assert_eq!(decode(Bytes::from_static(b"\x01")), None, "another format");
    }
}
