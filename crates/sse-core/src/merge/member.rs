use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::chunk::Entry;
use crate::log::Reader;
use crate::merge::packed;
use crate::pack::CHUNK_SIZE;
use crate::{Cursor, Epoch, EventId};

/// One log of a merge, as one client reads it.
pub(super) struct Member {
    name: Arc<str>,
    pub(super) reader: Reader,
    known: Known,
    given: Given,
    /// The part of an id that says where its client is, and for which place it was made.
    part: (Known, String),
}

/// Where a client is in a log, as far as it has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is here for the first time.
    New,
    At(Epoch, Cursor),
    /// It has been here, and nobody knows where.
    Nowhere,
}

/// A chunk that the reader gave, of which some was taken.
#[derive(Default)]
struct Given {
    bytes: Bytes,
    /// Where its events are, and of which life of the log.
    entries: Vec<Entry>,
    epoch: Option<Epoch>,
    /// How many of the bytes, and of the entries, were taken.
    taken: (usize, usize),
}

impl Member {
    pub(super) fn new(name: Arc<str>, reader: Reader, known: Known) -> Self {
        let part = (Known::New, String::new());
        Self { name, reader, known, given: Given::default(), part }
    }

    /// Whether all that the reader gave was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.given.taken.0 == self.given.bytes.len()
    }

    /// Remembers where the client is before the reader is polled: it may come to have no place, at the end, or before word of a gap.
    pub(super) fn settle(&mut self) {
        self.known = self.known_now();
    }

    /// The reader gave this.
    pub(super) fn give(&mut self, bytes: Bytes) {
        let mut entries = mem::take(&mut self.given.entries);
        entries.clear();
        entries.extend_from_slice(self.reader.entries());
        self.given = Given { bytes, entries, epoch: Some(self.reader.epoch()), taken: (0, 0) };
    }

    /// How many bytes what is left takes, with its ids, at the most.
    pub(super) fn room(&self) -> usize {
        let (bytes, entries) = self.given.taken;
        self.given.bytes.len() - bytes + (self.given.entries.len() - entries) * ID_LEN
    }

    /// Takes what comes next, as far as the chunk has room for it. Returns what it was, if anything.
    pub(super) fn take(&mut self, out: &mut BytesMut) -> Option<Taken> {
        let Given { bytes, entries, epoch, taken } = &mut self.given;
        let entry = entries.get(taken.1);
        let frames = taken.0..entry.map_or(bytes.len(), |entry| entry.range().start);
        if !frames.is_empty() {
            // These have no ids.
            if !has_room(out, frames.len()) {
                return None;
            }
            out.extend_from_slice(&bytes[frames.clone()]);
            taken.0 = frames.end;
            return Some(Taken::Frames);
        }
        let (entry, epoch) = (entry?, (*epoch)?);
        let block = entry.block(epoch);
        if !has_room(out, block.len() + ID_LEN) {
            return None;
        }
        out.extend_from_slice(&bytes[block]);
        *taken = (entry.range().end, taken.1 + 1);
        self.known = Known::At(epoch, entry.position);
        Some(Taken::Event)
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
pub(super) enum Taken {
    /// Whole frames.
    Frames,
    /// A block, which lacks its id.
    Event,
}

/// What an id and the lines around it take at the most.
const ID_LEN: usize = EventId::MAX_LEN + 6;

/// A frame that is larger than a chunk is one of its own.
fn has_room(out: &BytesMut, size: usize) -> bool {
    out.is_empty() || out.len() + size <= CHUNK_SIZE
}
