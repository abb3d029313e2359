use std::task::{Context, Poll};

use bytes::Bytes;

use crate::Error;
use crate::pack::Pack;
use crate::panics::caught;
use crate::resume::Resume;

/// The frames of a source, packed into chunks.
pub(crate) struct Joined {
    pub(super) resume: Resume,
    /// The frame for which the last chunk had no room.
    held: Option<Bytes>,
    /// The error that came after the last chunk.
    error: Option<Error>,
}

impl Joined {
    pub(super) fn new(resume: Resume) -> Self {
        Self { resume, held: None, error: None }
    }

    pub(super) fn has_caught_up(&self) -> bool {
        self.held.is_none() && self.error.is_none() && !self.resume.has_more_to_give()
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let mut pack = Pack::default();
        if let Some(frame) = self.held.take() {
            self.held = pack.add(frame).err();
        }
        while !pack.is_full() {
            match self.poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Err(frame) = pack.add(frame) {
                        self.held = Some(frame);
                        break;
                    }
                }
                Poll::Ready(Some(Err(error))) if pack.is_empty() => {
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Err(error))) => {
                    self.error = Some(error);
                    break;
                }
                Poll::Pending if pack.is_empty() => return Poll::Pending,
                Poll::Ready(None) if pack.is_empty() => return Poll::Ready(None),
                Poll::Pending | Poll::Ready(None) => break,
            }
        }
        Poll::Ready(Some(Ok(pack.into_chunk())))
    }

    /// Returns the next frame. A panic of the source is an error.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let polled = caught(|| self.resume.poll_next(cx)).unwrap_or_else(|panic| {
            self.resume.end();
            Poll::Ready(Some(Err(Error::source("being polled", panic))))
        });
        polled.map(|frame| frame.map(|frame| frame.map(crate::Frame::into_bytes)))
    }
}
