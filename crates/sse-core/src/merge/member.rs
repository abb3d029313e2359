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
    /// The chunk that the reader gave, and how much of it was taken.
    chunk: Bytes,
    taken: Taken,
    /// The log's part of the id, and the position of which it was made.
    part: (Known, HasView, String),
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    entries: usize,
}

/// True if a part of an id has the view of the reader.
type HasView = bool;

/// The position of a client in a log, as far as the client has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The client is new.
    New,
    At(Epoch, Position),
    /// The client has been here, and its position is unknown.
    Unknown,
}

impl Member {
    pub(super) fn new(name: Arc<str>, reader: Reader, known: Known) -> Self {
        let part = (Known::New, false, String::new());
        Self { name, reader, known, chunk: Bytes::new(), taken: Taken::default(), part }
    }

    /// Returns true if the whole chunk was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// Records the client's position before the reader is polled: the reader may then have none, at the end, or before a reset.
    pub(super) fn settle(&mut self) {
        self.known = self.known_now();
    }

    /// Takes over a chunk of the reader, which is not polled until the whole chunk was taken.
    pub(super) fn give(&mut self, chunk: Bytes) {
        (self.chunk, self.taken) = (chunk, Taken::default());
    }

    /// Returns the most bytes that the rest of the chunk takes, with its ids.
    pub(super) fn room(&self) -> usize {
        let entries = self.reader.entries().len() - self.taken.entries;
        self.chunk.len() - self.taken.bytes + entries * ID_LEN
    }

    /// Takes the next frames, or the next event, if there is room. Returns which, if any.
    pub(super) fn take(&mut self, out: &mut BytesMut) -> Option<Piece> {
        let entry = self.reader.entries().get(self.taken.entries);
        // The frames before it have no ids.
        let frames = self.taken.bytes..entry.map_or(self.chunk.len(), |entry| entry.range().start);
        let (next, bytes, end, room) = match entry {
            Some(entry) if frames.is_empty() => {
                let block = entry.block(self.reader.epoch());
                (Piece::Event(entry.position), block, entry.range().end, ID_LEN)
            }
            _ if frames.is_empty() => return None,
            _ => (Piece::Frames, frames.clone(), frames.end, 0),
        };
        // An event larger than a chunk has a chunk of its own.
        if !out.is_empty() && out.len() + bytes.len() + room > CHUNK_SIZE {
            return None;
        }
        out.extend_from_slice(&self.chunk[bytes]);
        self.taken.bytes = end;
        if let Piece::Event(position) = next {
            self.taken.entries += 1;
            self.known = Known::At(self.reader.epoch(), position);
        }
        Some(next)
    }

    /// Drops the chunk once all of it was taken, so that a client that waits keeps no page alive.
    pub(super) fn finish(&mut self) {
        if self.taken.bytes == self.chunk.len() {
            self.chunk = Bytes::new();
            self.reader.forget_entries();
        }
    }

    /// Returns the log's part of the id; `None` if the client has not been here. If a reset is still to be sent, the part has the old position,
    /// so that a client that is cut off gets the reset when it comes back.
    pub(super) fn part(&mut self) -> Option<&str> {
        let known = self.known_now();
        let view = match known {
            Known::At(_, position) => self.reader.view_at(position),
            Known::New | Known::Unknown => "",
        };
        let (of, has_view, text) = &mut self.part;
        if *of != known || *has_view == view.is_empty() {
            *has_view = !view.is_empty();
            match (mem::replace(of, known), known) {
                (Known::At(before, _), Known::At(epoch, at)) if before == epoch => {
                    packed::move_part(&self.name, at, text);
                }
                (_, known) => {
                    text.clear();
                    let at = match known {
                        Known::At(epoch, at) => Some((epoch, at)),
                        // The part of a new client is not used: it begins again when it comes back.
                        Known::Unknown | Known::New => None,
                    };
                    packed::write_part(&self.name, at, text);
                }
            }
            text.push_str(view);
        }
        (known != Known::New).then_some(&*self.part.2)
    }

    fn known_now(&self) -> Known {
        match self.reader.position() {
            Some((epoch, position)) if self.is_empty() => Known::At(epoch, position),
            _ => self.known,
        }
    }
}

/// The bytes that were taken.
pub(super) enum Piece {
    /// Whole frames.
    Frames,
    /// The block of the event at this position, without its id.
    Event(Position),
}

/// The most bytes that an id and the lines around it take.
const ID_LEN: usize = EventId::MAX_LEN + 6;
