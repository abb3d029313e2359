//! The end of a response that is broken off, because its stream failed or after its goodbye.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use crate::event_stream::state::{Progress, State};
use crate::timer::Alarm;
use crate::{Cut, End, Error};

/// The time that a framework has to send the bytes that it has written, or copied, before the response is broken off.
const BEFORE_A_CUT: Duration = Duration::from_millis(100);

/// The most time that a framework has to write its chunks, if the client reads slowly: chunks that it still holds then are lost.
const AT_MOST_BEFORE_A_CUT: Duration = Duration::from_secs(30);

impl State {
    /// Reports an error, sends the error event if one is set, and ends the response, or breaks it off.
    pub(super) fn fail(&mut self, error: &Error) -> Poll<Option<Result<Bytes, Cut>>> {
        let event = self.failure.report(error);
        self.progress = if self.failure.cuts() { Progress::BrokenOff } else { Progress::Ending };
        match (event, self.progress) {
            (Some(event), _) => Poll::Ready(Some(Ok(event))),
            (None, Progress::BrokenOff) => Poll::Ready(Some(Ok(self.break_off()))),
            (None, _) => Poll::Ready(None),
        }
    }

    /// Returns a comment for people who read the wire. A framework that holds the last chunk while it waits for more then holds this one, and
    /// not the last event.
    pub(super) fn break_off(&mut self) -> Bytes {
        self.progress = Progress::Writing;
        self.alarm = None; // it was that of the keep-alive
        Bytes::from_static(b": broken off\n")
    }

    /// Breaks the response off once the framework has written all its chunks. A response whose stream failed does not wait if it is shut down
    /// meanwhile; after a goodbye, which must arrive, it waits in any case.
    pub(super) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        let cut = Poll::Ready(Some(Err(Cut::new())));
        if self.end == End::Failed && self.poll_end(cx).is_ready() {
            return cut;
        }
        if self.progress == Progress::Writing
            && self.unwritten.as_ref().is_none_or(|unwritten| unwritten.poll_none(cx).is_ready())
        {
            self.progress = Progress::Cutting;
            self.alarm = None;
        }
        let time = match self.progress {
            Progress::Cutting => BEFORE_A_CUT,
            _ => AT_MOST_BEFORE_A_CUT,
        };
        let timer = &self.timer;
        let alarm = self.alarm.get_or_insert_with(|| Alarm::own(timer.sleep(time)));
        ready!(alarm.poll(cx));
        cut
    }
}
