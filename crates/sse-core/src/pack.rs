use bytes::{Bytes, BytesMut};

use crate::Position;
use crate::chunk::Entry;

/// The most bytes of one chunk. A larger frame has a chunk of its own.
pub(crate) const CHUNK_SIZE: usize = 64 * 1024;

/// Whole frames on their way into one chunk. A single frame is not copied.
#[derive(Default)]
pub(crate) struct Pack {
    first: Bytes,
    all: BytesMut,
}

impl Pack {
    /// Adds a frame. Returns it if the chunk has no room for it.
    pub(crate) fn add(&mut self, frame: Bytes) -> Result<(), Bytes> {
        if self.is_empty() {
            self.first = frame;
            return Ok(());
        }
        if self.len() + frame.len() > CHUNK_SIZE {
            return Err(frame);
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&frame);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= CHUNK_SIZE
    }

    /// Returns the chunk; empty if no frame was added.
    pub(crate) fn into_chunk(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }

    fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }
}

/// A known list of frames, as chunks.
pub(crate) struct Packed {
    frames: std::vec::IntoIter<Bytes>,
    /// The frame for which the last chunk had no room.
    held: Option<Bytes>,
    /// The position and the size of the last frame.
    last: Option<(Position, usize)>,
}

impl Packed {
    /// Returns these frames, the last of which has the id of this position, if any.
    pub(crate) fn new(frames: Vec<Bytes>, position: Option<Position>) -> Self {
        let last = position.zip(frames.last().map(Bytes::len));
        Self { frames: frames.into_iter(), held: None, last }
    }

    /// Returns the offset of the frame with the id in the chunk that was given last, if it is there.
    pub(crate) fn entry_in(&self, chunk: &Bytes) -> Option<Entry> {
        let is_last = self.held.is_none() && self.frames.len() == 0;
        let (position, size) = self.last.filter(|_| is_last)?;
        Some(Entry::new(position, chunk.len() - size..chunk.len()))
    }
}

impl Iterator for Packed {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut pack = Pack::default();
        for frame in self.held.take().into_iter().chain(self.frames.by_ref()) {
            if let Err(frame) = pack.add(frame) {
                self.held = Some(frame);
                break;
            }
        }
        (!pack.is_empty()).then(|| pack.into_chunk())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(frames: &[usize], chunks: &[usize]) {
        let frames = frames.iter().map(|size| Bytes::from(vec![b'x'; *size])).collect();
        let sizes: Vec<usize> = Packed::new(frames, None).map(|chunk| chunk.len()).collect();
        assert_eq!(sizes, chunks);
    }

    #[test]
    fn chunks_are_of_at_most_64_kib_or_one_frame() {
        check(&[], &[]);
        check(&[0, 0], &[]);
        check(&[1, 0, 2], &[3]);
        check(&[CHUNK_SIZE - 1, 1, 1], &[CHUNK_SIZE, 1]);
        check(&[CHUNK_SIZE - 1, 2, 1], &[CHUNK_SIZE - 1, 3]);
        check(&[1, 2 * CHUNK_SIZE, 1], &[1, 2 * CHUNK_SIZE, 1]);
    }
}
