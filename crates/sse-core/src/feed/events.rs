mod joined;

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use sync_wrapper::SyncWrapper;

use crate::feed::events::joined::Joined;
use crate::feed::options::StreamOptions;
use crate::feed::{Closure, Origin, OriginOnce};
use crate::limits::Most;
use crate::log::{Gaps, Reader};
use crate::merge::Merged;
use crate::panics::caught;
use crate::resume::Resume;
use crate::stream_context::Receiver;
use crate::{Closed, End, Error, Gap, GapReason, LastEventId, Limit, Timer};

/// A running feed: the chunks of one client.
pub(crate) enum Events {
    Log(Reader),
    Merge(Box<Merged>),
    Source(Box<Joined>),
    Context(Pushed),
    /// None: a limit was met, or there is nothing for a first visit.
    Refused,
}

impl Events {
    /// Starts a feed. Returns the end and the gap if there is nothing more for this client: its log is finished, or a gap ends its stream.
    pub(crate) fn new(
        origin: OriginOnce,
        last_event_id: LastEventId,
        options: &StreamOptions,
        timer: &Timer,
    ) -> Result<Self, (End, Option<Gap>)> {
        let mut events = match origin {
            OriginOnce::Many(Origin::Log(selection)) => {
                let gaps = Gaps::new(options);
                Self::Log(Reader::new(
                    selection,
                    &last_event_id,
                    &options.start,
                    gaps,
                    options.quiet_event(),
                ))
            }
            OriginOnce::Many(Origin::Merge(logs)) => {
                Self::Merge(Box::new(Merged::new(&logs, last_event_id, options)))
            }
            OriginOnce::Many(Origin::Source(_))
                if last_event_id == LastEventId::Unusable && options.on_gap.status().is_some() =>
            {
                return Err((End::Gap, Some(Gap::unlocated(GapReason::Unknown))));
            }
            OriginOnce::Many(Origin::Source(source)) => {
                let resume = Resume::new(source, last_event_id, options, timer.clone());
                Self::Source(Box::new(Joined::new(resume)))
            }
            OriginOnce::Context(receiver, running) => {
                let running = running.map(SyncWrapper::new);
                Self::Context(Pushed { receiver, running, error: None })
            }
        };
        let is_stopped = match &events {
            Self::Log(reader) => reader.is_stopped(),
            Self::Merge(merged) => merged.is_stopped(),
            Self::Source(_) | Self::Context(_) | Self::Refused => false,
        };
        if is_stopped { Err((events.why(), events.take_gap())) } else { Ok(events) }
    }

    /// Returns the reason why it has ended.
    pub(crate) fn why(&self) -> End {
        match self {
            Self::Log(reader) if reader.is_refused() => End::Gap,
            Self::Merge(merged) if merged.is_refused() => End::Gap,
            Self::Source(joined) => joined.resume.why(),
            Self::Log(_) | Self::Merge(_) | Self::Context(_) | Self::Refused => End::Finished,
        }
    }

    /// Returns the limit of a log or a topic that is exceeded since this stream is counted.
    pub(crate) fn limit(&self, most: Most) -> Option<Limit> {
        match self {
            Self::Log(reader) => reader.limit(most),
            Self::Merge(merged) => merged.limit(most),
            Self::Source(_) | Self::Context(_) | Self::Refused => None,
        }
    }

    /// Takes a gap that was found, to tell an observer.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        match self {
            Self::Log(reader) => reader.take_gap(),
            Self::Merge(merged) => merged.take_gap(),
            Self::Source(joined) => joined.resume.take_gap(),
            Self::Context(_) | Self::Refused => None,
        }
    }

    /// Returns the next chunk: whole frames, never empty. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        match self {
            Self::Log(reader) => reader.poll_next(cx),
            Self::Merge(merged) => merged.poll_next(cx),
            Self::Source(joined) => joined.poll_next(cx),
            Self::Context(pushed) => pushed.poll_next(cx),
            Self::Refused => Poll::Ready(None),
        }
    }

    /// Returns a frame with the position of a client of topics, if that has moved since its last id.
    pub(crate) fn position_event(&mut self) -> Option<Bytes> {
        match self {
            Self::Log(reader) => reader.position_event(),
            Self::Merge(merged) => merged.position_event(),
            Self::Source(_) | Self::Context(_) | Self::Refused => None,
        }
    }

    /// Closes a context, and returns the bytes that it has sent by now, because they cannot be fetched later.
    pub(crate) fn close(&mut self, cx: &Context<'_>) -> Option<Bytes> {
        match self {
            Self::Context(pushed) => pushed.close(cx),
            Self::Log(_) | Self::Merge(_) | Self::Source(_) | Self::Refused => None,
        }
    }

    /// Returns true if the client has all events that there were at the first call. Always false for a context, whose events cannot be fetched
    /// later.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        match self {
            Self::Log(reader) => reader.has_caught_up(),
            Self::Merge(merged) => merged.has_caught_up(),
            Self::Source(joined) => joined.has_caught_up(),
            Self::Context(_) | Self::Refused => false,
        }
    }

    /// Returns true if the client has only had a `reset`, which has no id.
    pub(crate) fn has_only_reset(&self) -> bool {
        matches!(self, Self::Source(joined) if joined.resume.has_only_reset())
    }

    /// Returns true if it waits for the store, to read events that are behind those in memory.
    pub(crate) fn is_behind(&self) -> bool {
        match self {
            Self::Log(reader) => reader.is_behind(),
            Self::Merge(merged) => merged.is_behind(),
            Self::Source(_) | Self::Context(_) | Self::Refused => false,
        }
    }

    /// Returns true if a client that comes back is given events of before.
    pub(crate) fn can_replay(&self) -> bool {
        !matches!(self, Self::Context(_) | Self::Refused)
    }

    /// Returns true if a polling client need not wait, because there is nothing more for it at this moment.
    pub(crate) fn can_be_polled(&self) -> bool {
        match self {
            Self::Log(reader) => !reader.has_more_to_give(),
            Self::Merge(merged) => !merged.has_more_to_give(),
            Self::Source(joined) => joined.has_caught_up(),
            Self::Context(_) | Self::Refused => false,
        }
    }
}

/// The events of a context, and the closure that sends them, if it runs here.
pub(crate) struct Pushed {
    receiver: Receiver,
    running: Option<SyncWrapper<Closure>>,
    /// The error of the closure. The events that it had sent go out first.
    error: Option<Error>,
}

impl Pushed {
    fn close(&mut self, cx: &Context<'_>) -> Option<Bytes> {
        self.receiver.close();
        match self.receiver.poll_next(cx) {
            Poll::Ready(sent) => sent,
            Poll::Pending => None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(running) = &mut self.running
            && let Poll::Ready(result) = caught(|| running.get_mut().as_mut().poll(cx))
                .unwrap_or_else(|panic| Poll::Ready(Err(panic)))
        {
            self.running = None;
            self.receiver.close();
            let failed = |error| Error::source("running the closure of the stream", error);
            // `Closed` is not reported: the closure knows that the stream is over.
            self.error = result.err().filter(|error| !error.is::<Closed>()).map(failed);
        }
        match ready!(self.receiver.poll_next(cx)) {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => Poll::Ready(self.error.take().map(Err)),
        }
    }
}
