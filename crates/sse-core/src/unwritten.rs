//! The chunks that a framework has and has not written yet: it discards them when the response is broken off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

/// The chunks of one stream that its framework still holds. A framework that copies chunks, such as actix-web over HTTP/1.1, holds none.
#[derive(Clone, Default)]
pub(crate) struct Unwritten(Arc<Shared>);

#[derive(Default)]
struct Shared {
    chunks: AtomicUsize,
    stream: AtomicWaker,
}

/// A chunk that is counted until it is dropped.
struct Counted {
    chunk: Bytes,
    all: Arc<Shared>,
}

impl Unwritten {
    /// Counts a chunk for as long as the framework holds it or a part of it. Returns the chunk.
    pub(crate) fn count(&self, chunk: Bytes) -> Bytes {
        self.0.chunks.fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Counted { chunk, all: Arc::clone(&self.0) })
    }

    /// Returns ready once the framework holds no chunk.
    pub(crate) fn poll_none(&self, cx: &Context<'_>) -> Poll<()> {
        // The waker is registered first, because the last chunk may be dropped in between.
        self.0.stream.register(cx.waker());
        if self.0.chunks.load(Ordering::Acquire) == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.chunk
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.all.chunks.fetch_sub(1, Ordering::Release) == 1 {
            self.all.stream.wake();
        }
    }
}
