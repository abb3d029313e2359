use std::collections::VecDeque;
use std::task::{Context, Poll};

use futures_util::StreamExt;

use crate::{BoxError, Error, Frame, Frames};

/// The most bytes of events that are kept while a client catches up.
pub(crate) const KEPT_BYTES: usize = 1024 * 1024;
/// The number of events discarded at a time after an overflow, so that other tasks run meanwhile.
const DISCARDED_AT_ONCE: usize = 1024;

/// The live half of a source, and the events that it publishes while the client catches up.
#[derive(Default)]
pub(crate) struct Live {
    /// `None` before it is subscribed, and once it has ended.
    stream: Option<Frames>,
    kept: VecDeque<Result<Frame, BoxError>>,
    bytes: usize,
    limit: usize,
    /// True if events were lost because there were too many.
    has_overflowed: bool,
}

impl Live {
    /// Returns a live half that keeps at most this many events.
    pub(crate) fn keeping(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(crate) fn subscribed(&mut self, stream: Frames) {
        self.stream = Some(stream);
    }

    pub(crate) fn unsubscribe(&mut self) {
        self.stream = None;
    }

    pub(crate) fn keeps_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Drops the events published so far, because a snapshot replaces them.
    pub(crate) fn start_over(&mut self) {
        // An error is the end of the stream, and stays.
        self.kept.retain(Result::is_err);
        (self.bytes, self.has_overflowed) = (0, false);
    }

    /// Forgets an overflow: the lost events are part of a gap, and the client is told of it.
    pub(crate) fn reset_overflow(&mut self) {
        self.has_overflowed = false;
    }

    /// Takes all events that have been published, to deliver them later.
    pub(crate) fn keep(&mut self, cx: &mut Context<'_>) {
        let mut discarded = 0;
        while let Some(stream) = &mut self.stream {
            if discarded > DISCARDED_AT_ONCE {
                cx.waker().wake_by_ref();
                return;
            }
            match stream.poll_next_unpin(cx) {
                Poll::Ready(Some(Err(error))) => {
                    // Later items do not count: some streams fail at every call from now on, which is no overflow.
                    self.kept.push_back(Err(error));
                    self.unsubscribe();
                }
                // It stays subscribed, because a gap may reset the overflow.
                Poll::Ready(Some(Ok(_))) if self.has_overflowed => discarded += 1,
                Poll::Ready(Some(Ok(frame))) => {
                    self.bytes += frame.as_bytes().len();
                    self.kept.push_back(Ok(frame));
                    if self.kept.len() > self.limit || self.bytes > KEPT_BYTES {
                        self.has_overflowed = true;
                        (self.kept, self.bytes) = (VecDeque::new(), 0);
                    }
                }
                Poll::Ready(None) => self.unsubscribe(),
                Poll::Pending => return,
            }
        }
    }

    /// Returns the kept events, and then the live ones.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let failed = |error| Error::source("streaming", error);
        if let Some(item) = self.kept.pop_front() {
            return Poll::Ready(Some(item.map_err(failed)));
        }
        match &mut self.stream {
            _ if self.has_overflowed => {
                self.unsubscribe();
                Poll::Ready(Some(Err(Error::overflow(self.limit, KEPT_BYTES))))
            }
            Some(stream) => {
                let item = stream.poll_next_unpin(cx);
                item.map(|item| item.map(|item| item.map_err(failed)))
            }
            None => Poll::Ready(None),
        }
    }
}
