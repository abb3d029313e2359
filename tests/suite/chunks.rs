//! A body without an adapter, to hold the adapters against.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

/// The type of the content, as of any event stream: if a framework keeps the headers of a response, it does so for both.
pub const EVENT_STREAM: &str = "text/event-stream";

/// Hands out a first chunk, then chunks that all such bodies share, each from a place of its own on, and then stays open.
#[derive(Debug, Clone)]
pub struct Chunks {
    first: Option<Bytes>,
    chunks: Arc<[Bytes]>,
    next: Place,
}

/// A byte of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The number of the chunk.
    pub chunk: usize,
    /// The offset in it.
    pub offset: usize,
}

impl Chunks {
    /// This one, and all from this place on.
    pub fn new(first: Bytes, chunks: Arc<[Bytes]>, from: Place) -> Self {
        Self { first: Some(first), chunks, next: from }
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Place { chunk, offset } = self.next;
        self.next = Place { chunk: chunk + 1, offset: 0 };
        // After the last nothing comes, and nobody need be woken.
        self.chunks
            .get(chunk)
            .map_or(Poll::Pending, |all| Poll::Ready(Some(Ok(all.slice(offset..)))))
    }
}
