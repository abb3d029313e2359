use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::log::Reader;
use crate::merge::packed;
use crate::pack::CHUNK_SIZE;
use crate::{Epoch, EventId, Position};

/// One log of a merge, as one client reads it.
pub(super) struct Member {
    name: Arc<str>,
    pub(super) reader: Reader,
    known: Known,
    /// What the reader gave, and how much of it was taken.
    chunk: Bytes,
    taken: Taken,
    /// The part of an id that says where its client is, and for which place it was made.
    part: (Known, String),
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    entries: usize,
}

/// Where a client is in a log, as far as it has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is here for the first time.
    New,
    At(Epoch, Position),
    /// It has been here, and nobody knows where.
    Nowhere,
}

impl Member {
    pub(super) fn new(name: Arc<str>, reader: Reader, known: Known) -> Self {
        let part = (Known::New, String::new());
        Self { name, reader, known, chunk: Bytes::new(), taken: Taken::default(), part }
    }

    /// Whether all that the reader gave was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// Remembers where the client is before the reader is polled: it may come to have no place, at the end, or before word of a gap.
    pub(super) fn settle(&mut self) {
        self.known = self.known_now();
    }

    /// The reader gave this, and is not polled until all of it was taken.
    pub(super) fn give(&mut self, chunk: Bytes) {
        (self.chunk, self.taken) = (chunk, Taken::default());
    }

    /// How many bytes what is left takes, with its ids, at the most.
    pub(super) fn room(&self) -> usize {
        let entries = self.reader.entries().len() - self.taken.entries;
        self.chunk.len() - self.taken.bytes + entries * ID_LEN
    }

    /// Takes what comes next, as far as there is room for it. Returns what it was, if anything.
    pub(super) fn take(&mut self, out: &mut BytesMut) -> Option<Next> {
        let entry = self.reader.entries().get(self.taken.entries);
        // Frames that stand before it have no ids.
        let frames = self.taken.bytes..entry.map_or(self.chunk.len(), |entry| entry.range().start);
        let (next, bytes, end, room) = match entry {
            Some(entry) if frames.is_empty() => {
                let block = entry.block(self.reader.epoch());
                (Next::Event(entry.position), block, entry.range().end, ID_LEN)
            }
            _ if frames.is_empty() => return None,
            _ => (Next::Frames, frames.clone(), frames.end, 0),
        };
        // What is larger than a chunk is one of its own.
        if !out.is_empty() && out.len() + bytes.len() + room > CHUNK_SIZE {
            return None;
        }
        out.extend_from_slice(&self.chunk[bytes]);
        self.taken.bytes = end;
        if let Next::Event(position) = next {
            self.taken.entries += 1;
            self.known = Known::At(self.reader.epoch(), position);
        }
        Some(next)
    }

    /// Lets the page go once all of it was taken: it is held by nobody for a client that waits.
    pub(super) fn finish(&mut self) {
        if self.taken.bytes == self.chunk.len() {
            self.chunk = Bytes::new();
            self.reader.forget_entries();
        }
    }

    /// The part of an id that says where its client is; nothing if it has not been here. What it is still to be told of a gap it is told after
    /// the next cut, since its place is the old one then.
    pub(super) fn part(&mut self) -> Option<&str> {
        let known = self.known_now();
        if self.part.0 != known {
            let (of, text) = &mut self.part;
            match (mem::replace(of, known), known) {
                (Known::At(before, _), Known::At(epoch, at)) if before == epoch => {
                    packed::move_part(&self.name, at, text);
                }
                (_, known) => {
                    text.clear();
                    let place = match known {
                        Known::At(epoch, at) => Some((epoch, at)),
                        // If it is new it begins again when it comes back, and the part is not used.
                        Known::Nowhere | Known::New => None,
                    };
                    packed::write_part(&self.name, place, text);
                }
            }
        }
        (known != Known::New).then_some(&*self.part.1)
    }

    fn known_now(&self) -> Known {
        match self.reader.position() {
            Some((epoch, cursor)) if self.is_empty() => Known::At(epoch, cursor),
            _ => self.known,
        }
    }
}

/// What was taken.
pub(super) enum Next {
    /// Whole frames.
    Frames,
    /// The block of the event at this position, which lacks its id.
    Event(Position),
}

/// What an id and the lines around it take at the most.
const ID_LEN: usize = EventId::MAX_LEN + 6;
