//! The end of a response's body: transfer codings, decoded by hand so that tests see the seams.

use super::response::End;

/// A body as far as it has been received.
#[derive(Debug)]
pub(super) struct Body {
    /// The content, without any transfer coding.
    pub(super) bytes: Vec<u8>,
    /// The sizes of the HTTP chunks announced so far, the last one of zero left out.
    pub(super) chunks: Vec<usize>,
    state: State,
    undecoded: Vec<u8>,
}

/// The meaning of the next bytes (RFC 9112, sections 6 and 7.1).
#[derive(Debug, Clone, Copy)]
enum State {
    /// The number of bytes of content to come. 0 is the end of every body but `UntilClose`.
    Sized(usize),
    UntilClose,
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailer,
}

impl Body {
    pub(super) fn sized(length: usize) -> Self {
        Self::new(State::Sized(length))
    }

    pub(super) fn until_close() -> Self {
        Self::new(State::UntilClose)
    }

    pub(super) fn chunked() -> Self {
        Self::new(State::ChunkSize)
    }

    fn new(state: State) -> Self {
        Self { bytes: Vec::new(), chunks: Vec::new(), state, undecoded: Vec::new() }
    }

    /// Takes bytes as they came from the socket and returns the content among them.
    pub(super) fn feed(&mut self, received: &[u8]) -> &[u8] {
        let before = self.bytes.len();
        self.undecoded.extend_from_slice(received);
        while let Some(next) = self.step() {
            self.state = next;
        }
        &self.bytes[before..]
    }

    /// Tells whether the body said that nothing more follows.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.state, State::Sized(0))
    }

    /// Returns the meaning of a close by the peer here.
    pub(super) fn end_by_close(&self) -> End {
        match self.state {
            State::Sized(0) | State::UntilClose => End::Clean,
            _ => End::Truncated,
        }
    }

    /// Decodes one piece and returns what follows it, or nothing when more bytes are needed.
    fn step(&mut self) -> Option<State> {
        match self.state {
            State::Sized(0) => None,
            State::Sized(left) => Some(State::Sized(left - self.take_content(left)?)),
            State::UntilClose => {
                self.take_content(usize::MAX)?;
                Some(State::UntilClose)
            }
            State::ChunkSize => {
                let size = chunk_size(&self.take_line()?);
                if size == 0 {
                    return Some(State::Trailer);
                }
                self.chunks.push(size);
                Some(State::ChunkData(size))
            }
            State::ChunkData(0) => Some(State::ChunkEnd),
            State::ChunkData(left) => Some(State::ChunkData(left - self.take_content(left)?)),
            State::ChunkEnd => {
                let line = self.take_line()?;
                assert!(line.is_empty(), "chunk longer than its size: {line:?}");
                Some(State::ChunkSize)
            }
            State::Trailer => match self.take_line()?.as_str() {
                "" => Some(State::Sized(0)),
                _ => Some(State::Trailer),
            },
        }
    }

    fn take_content(&mut self, limit: usize) -> Option<usize> {
        let taken = self.undecoded.len().min(limit);
        self.bytes.extend(self.undecoded.drain(..taken));
        (taken > 0).then_some(taken)
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.undecoded.windows(2).position(|two| two == b"\r\n")?;
        let line = self.undecoded.drain(..end + 2).take(end).collect();
        Some(String::from_utf8(line).expect("the lines of a transfer coding are ASCII"))
    }
}

fn chunk_size(line: &str) -> usize {
    let digits = line.split(';').next().unwrap_or(line).trim();
    usize::from_str_radix(digits, 16)
        .unwrap_or_else(|error| panic!("not the size of a chunk: {line:?}: {error}"))
}
