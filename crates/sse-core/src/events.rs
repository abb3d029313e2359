use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use sync_wrapper::SyncWrapper;

use crate::feed::{Options, Origin, Running};
use crate::log::{Gaps, Reader};
use crate::merge::Merged;
use crate::resume::Resume;
use crate::stream_context::Receiver;
use crate::{Closed, Error, LastEventId, OnGap, Start};

/// How many bytes are put into one write where frames come one by one.
const CHUNK_SIZE: usize = 64 * 1024;

/// A feed as it runs: the chunks of one client.
pub(crate) enum Events {
    Log(Reader),
    Merge(Box<Merged>),
    Source(Box<Joined>),
    Context(Pushed),
}

impl Events {
    /// `None` where it is known at once that there is nothing more for this client: its log is finished, or a gap is to be
    /// the end.
    pub(crate) fn new(
        origin: Origin,
        last_event_id: LastEventId,
        options: &Options,
    ) -> Option<Self> {
        match origin {
            Origin::Log(log) => {
                let reader = Reader::new(log, &last_event_id, &options.start, Gaps::new(options));
                (!reader.is_stopped()).then_some(Self::Log(reader))
            }
            Origin::Merge(logs) => {
                let merged = Merged::new(logs, last_event_id, options);
                (!merged.is_stopped()).then(|| Self::Merge(Box::new(merged)))
            }
            Origin::Source(_)
                if last_event_id == LastEventId::Unusable
                    && matches!(options.on_gap, OnGap::Stop) =>
            {
                None
            }
            Origin::Source(source) => {
                let last_event_id = match (last_event_id, &options.start) {
                    (LastEventId::Absent, Start::At(id)) => LastEventId::Id(id.clone()),
                    (last_event_id, _) => last_event_id,
                };
                let resume =
                    Resume::new(source, last_event_id, options.on_gap.clone(), options.limits);
                Some(Self::Source(Box::new(Joined { resume, error: None })))
            }
            Origin::Context(receiver, running) => {
                let running = running.map(SyncWrapper::new);
                Some(Self::Context(Pushed { receiver, running, error: None }))
            }
        }
    }

    /// The next chunk: whole frames, never empty. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        match self {
            Self::Log(reader) => reader.poll_next(cx),
            Self::Merge(merged) => merged.poll_next(cx),
            Self::Source(joined) => joined.poll_next(cx),
            Self::Context(pushed) => pushed.poll_next(cx),
        }
    }

    /// Whether the response may end once the client has what there is. What a context sends cannot be had later.
    pub(crate) fn can_be_polled(&self) -> bool {
        match self {
            Self::Log(reader) => !reader.has_more_to_give(),
            Self::Merge(merged) => !merged.has_more_to_give(),
            Self::Source(joined) => !joined.resume.has_more_to_give(),
            Self::Context(_) => false,
        }
    }
}

/// What a context sends, and the closure that holds it, if it is run here.
pub(crate) struct Pushed {
    receiver: Receiver,
    running: Option<SyncWrapper<Running>>,
    /// How the closure ended. What it had sent goes out first.
    error: Option<Error>,
}

impl Pushed {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(running) = &mut self.running
            && let Poll::Ready(result) = running.get_mut().as_mut().poll(cx)
        {
            self.running = None;
            self.receiver.close();
            let failed = |error| Error::source("running the closure of the stream", error);
            // That it was closed is no news to whoever closed it.
            self.error = result.err().filter(|error| !error.is::<Closed>()).map(failed);
        }
        match ready!(self.receiver.poll_next(cx)) {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => Poll::Ready(self.error.take().map(Err)),
        }
    }
}

/// The frames of a source, as many at a time as there are.
pub(crate) struct Joined {
    resume: Resume,
    /// What came after the last chunk.
    error: Option<Error>,
}

impl Joined {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let (mut first, mut chunk) = (Bytes::new(), BytesMut::new());
        while first.len().max(chunk.len()) < CHUNK_SIZE {
            match self.resume.poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) if first.is_empty() => first = frame.into_bytes(),
                Poll::Ready(Some(Ok(frame))) => {
                    if chunk.is_empty() {
                        chunk.extend_from_slice(&first);
                    }
                    chunk.extend_from_slice(frame.as_bytes());
                }
                Poll::Ready(Some(Err(error))) if first.is_empty() => {
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Err(error))) => {
                    self.error = Some(error);
                    break;
                }
                Poll::Pending if first.is_empty() => return Poll::Pending,
                Poll::Ready(None) if first.is_empty() => return Poll::Ready(None),
                Poll::Pending | Poll::Ready(None) => break,
            }
        }
        Poll::Ready(Some(Ok(if chunk.is_empty() { first } else { chunk.freeze() })))
    }
}
