//! Several events as one message.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sse_core::store::NewEvent;

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which it is: counted from 1, and 0 for the last of the batch.
    pub(crate) number: u32,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) idempotency_key: Option<Arc<str>>,
    /// Nothing where a later event of the batch has the same key.
    pub(crate) block: Option<Bytes>,
}

const FORMAT: u8 = 1;

/// The parts of a batch, of which the last has the number 0. What is superseded within it is left out, unless somebody may ask for its
/// idempotency key.
pub(crate) fn parts(events: &[&NewEvent]) -> Vec<Part> {
    let mut newer = std::collections::HashSet::new();
    let mut parts: Vec<Part> = Vec::with_capacity(events.len());
    for (place, event) in events.iter().enumerate().rev() {
        let is_newest = event.key.as_ref().is_none_or(|key| newer.insert(Arc::clone(key)));
        if is_newest || event.idempotency_key.is_some() {
            let is_last = place + 1 == events.len();
            parts.push(Part {
                number: if is_last { 0 } else { place as u32 + 1 },
                key: event.key.clone(),
                idempotency_key: event.idempotency_key.clone(),
                block: is_newest.then(|| event.block.clone()),
            });
        }
    }
    parts.reverse();
    parts
}

/// How many bytes they are.
pub(crate) fn size(parts: &[Part]) -> usize {
    let of = |part: &Part| {
        let keys = [&part.key, &part.idempotency_key].map(|key| key.as_deref().map_or(0, str::len));
        4 + 1 + keys[0] + 1 + keys[1] + 1 + 4 + part.block.as_ref().map_or(0, Bytes::len)
    };
    1 + parts.iter().map(of).sum::<usize>()
}

pub(crate) fn encode(parts: &[Part]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(size(parts));
    bytes.put_u8(FORMAT);
    for part in parts {
        bytes.put_u32(part.number);
        for key in [&part.key, &part.idempotency_key] {
            let key = key.as_deref().unwrap_or_default();
            // Keys have at most 128 bytes, and at least one.
            bytes.put_u8(key.len() as u8);
            bytes.put_slice(key.as_bytes());
        }
        bytes.put_u8(part.block.is_some().into());
        let block = part.block.as_deref().unwrap_or_default();
        bytes.put_u32(block.len() as u32);
        bytes.put_slice(block);
    }
    bytes.freeze()
}

/// The parts of a message; nothing where it is none of ours.
pub(crate) fn decode(mut bytes: Bytes) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    if bytes.try_get_u8().ok()? != FORMAT {
        return None;
    }
    while bytes.has_remaining() {
        let number = bytes.try_get_u32().ok()?;
        let key = key(&mut bytes)?;
        let idempotency_key = self::key(&mut bytes)?;
        let is_there = bytes.try_get_u8().ok()? == 1;
        let len = bytes.try_get_u32().ok()? as usize;
        let block = take(&mut bytes, len)?;
        parts.push(Part { number, key, idempotency_key, block: is_there.then_some(block) });
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
    use sse_core::Event;

    fn event(text: &str) -> NewEvent {
        NewEvent::encode(&Event::new(text), 1000).expect("data alone")
    }

    fn keyed(key: &str, text: &str) -> NewEvent {
        event(text).with_key(key).expect("a short key")
    }

    #[test]
    fn a_batch_comes_back_without_what_it_supersedes_itself() {
        let once = keyed("a", "1").with_idempotency_key("once").expect("a short key");
        let events = [once, keyed("a", "2"), event("3"), keyed("a", "4"), event("5")];
        let parts = parts(&events.iter().collect::<Vec<_>>());
        let numbers: Vec<_> =
            parts.iter().map(|part| (part.number, part.block.is_some())).collect();
        assert_eq!(numbers, [(1, false), (3, true), (4, true), (0, true)]);
        assert_eq!(encode(&parts).len(), size(&parts));
        assert_eq!(decode(encode(&parts)), Some(parts));
    }

    #[test]
    fn a_message_that_is_cut_short_is_none() {
        let events = [keyed("a", "1"), event("2")];
        let bytes = encode(&parts(&events.iter().collect::<Vec<_>>()));
        let whole = bytes.len();
        let first = 1 + 4 + 2 + 1 + 1 + 4 + events[0].block.len();
        for len in 0..whole {
            let is_whole = len == 1 || len == first;
            assert_eq!(decode(bytes.slice(..len)).is_some(), is_whole, "{len} of {whole}");
        }
        assert_eq!(decode(Bytes::from_static(b"\x02")), None, "another format");
    }
}
