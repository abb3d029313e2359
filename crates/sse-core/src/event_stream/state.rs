//! A stream that has not ended, and what it gives next.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::event_stream::ends::Ends;
use crate::event_stream::watched::Watched;
use crate::feed::events::Events;
use crate::feed::failure::Failure;
use crate::feed::retry::Retry;
use crate::shutdown::OpenStream;
use crate::timer::{Alarm, Timer};
use crate::unwritten::Unwritten;
use crate::{Cut, End, EventType};

/// A stream that has not ended. It keeps only the options that it needs as it runs, because a server holds very many streams.
pub(super) struct State {
    pub(super) events: Events,
    pub(super) keep_alive: Duration,
    /// In a box, because most streams have none.
    pub(super) keep_alive_event: Option<Box<EventType>>,
    pub(super) retry: Retry,
    pub(super) failure: Failure,
    /// The registrations with the shutdowns that end the stream.
    pub(super) open: Vec<OpenStream>,
    /// The other ends that the server sets, if any.
    pub(super) ends: Option<Box<Ends>>,
    pub(super) timer: Timer,
    /// The keep-alive timer. It is set when there is nothing to write for the first time: it needs a runtime, and many responses are short.
    pub(super) alarm: Option<Alarm>,
    pub(super) last_write: Instant,
    pub(super) progress: Progress,
    pub(super) ending: Ending,
    /// The unwritten chunks, counted only if the response may be broken off.
    pub(super) unwritten: Option<Unwritten>,
    /// The record for an observer, if there is one.
    pub(super) watched: Option<Box<Watched>>,
    /// The reason why the stream ends, once it is known.
    pub(super) end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing has been written, not even the first line.
    New,
    Open,
    /// At least one event has been written.
    Delivering,
    /// The last has been written.
    Ending,
    /// The framework has the last event or the goodbye, and the response will be broken off.
    BrokenOff,
    /// The framework has the comment too, and has not written all of it.
    Writing,
    /// The framework has written all, and the response will be broken off once it has had time to send it.
    Cutting,
}

/// The moment at which the stream of a polling client ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client does not poll.
    Never,
    /// Once the client has the events that were there when it came; if there were none, the first events that come.
    CaughtUp,
    /// Once the client has the events that were there when it came.
    AtOnce,
}

impl State {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.progress {
            Progress::New => {
                self.progress = Progress::Open;
                return Poll::Ready(Some(Ok(self.first_line())));
            }
            Progress::Ending => return Poll::Ready(None),
            Progress::BrokenOff => return Poll::Ready(Some(Ok(self.break_off()))),
            Progress::Writing | Progress::Cutting => return self.poll_cut(cx),
            Progress::Open | Progress::Delivering => {}
        }
        if let Poll::Ready(end) = self.poll_end(cx) {
            if let Some(chunk) = self.events.close(cx) {
                self.delivered(&chunk);
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.progress = match self.cuts_on_goodbye() {
                true => Progress::BrokenOff,
                false => Progress::Ending,
            };
            self.end = end;
            return Poll::Ready(Some(Ok(self.goodbye())));
        }
        if self.is_at_its_end() {
            self.end = End::Polled;
            return Poll::Ready(None);
        }
        match self.events.poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.progress = Progress::Delivering;
                self.last_write = self.timer.now();
                self.delivered(&chunk);
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.end = End::Failed;
                self.fail(&error)
            }
            Poll::Ready(None) => {
                self.end = self.events.why();
                Poll::Ready(None)
            }
            Poll::Pending => {
                if let Some(watched) = &mut self.watched {
                    watched.waits(self.events.can_be_polled(), self.events.is_behind());
                }
                self.poll_wait(cx)
            }
        }
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.ending {
            Ending::Never => self.poll_keep_alive(cx).map(|line| Some(Ok(line))),
            Ending::CaughtUp | Ending::AtOnce => self.poll_end_of_a_poll(cx),
        }
    }

    /// Ends the stream of a polling client for which there is nothing more, after its position if only events of others came.
    #[cold]
    fn poll_end_of_a_poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if self.events.can_be_polled() {
            if let Some(position) = self.events.position_event() {
                self.progress = Progress::Delivering;
                self.delivered(&position);
                return Poll::Ready(Some(Ok(position)));
            }
            if self.may_end() {
                self.end = End::Polled;
                return Poll::Ready(None);
            }
        }
        self.poll_keep_alive(cx).map(|line| Some(Ok(line)))
    }

    pub(super) fn delivered(&mut self, chunk: &[u8]) {
        self.tell_of_gaps();
        if let Some(watched) = &mut self.watched {
            watched.delivered(chunk);
        }
    }

    pub(super) fn tell_of_gaps(&mut self) {
        while let Some(gap) = self.events.take_gap() {
            tracing::debug!(reason = %gap.reason, log = gap.log.as_deref(), "a client cannot resume exactly where it was");
            if let Some(watched) = &self.watched {
                watched.gap(&gap);
            }
        }
    }

    /// Returns true if a polling client has the events that were there when it came.
    fn is_at_its_end(&mut self) -> bool {
        // The first call counts as the moment at which the client came.
        self.ending != Ending::Never && self.events.has_caught_up() && self.may_end()
    }

    fn may_end(&self) -> bool {
        match self.ending {
            Ending::Never => false,
            // The reset of a source has no id: a client that has only that would come back to the same gap.
            Ending::CaughtUp => {
                self.progress == Progress::Delivering && !self.events.has_only_reset()
            }
            Ending::AtOnce => true,
        }
    }
}
