//! The lines of a stream besides its events: the first line, the keep-alive, the goodbye.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::event_stream::state::State;
use crate::{Event, Frame, encode};

/// A keep-alive is late by at most this part of its interval.
const STEPS: u32 = 20;

impl State {
    /// Returns a comment, which shows at once that the response has begun, and the reconnection time of this stream, unless it has none.
    pub(super) fn first_line(&self) -> Bytes {
        let mut line = opening();
        if let Some(retry) = self.retry.at_the_start(&self.timer) {
            line.extend_from_slice(Frame::from(Event::default().retry(retry)).as_bytes());
        }
        line.freeze()
    }

    /// Waits until the stream has been silent for the interval, and returns a keep-alive. It sets the timer once an interval, not once an event.
    pub(super) fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        loop {
            if let Some(alarm) = &mut self.alarm {
                ready!(alarm.poll(cx));
            }
            let now = self.timer.now();
            let rest =
                self.keep_alive.saturating_sub(now.saturating_duration_since(self.last_write));
            let is_due = self.alarm.is_some() && rest.is_zero();
            let rest = if is_due { self.keep_alive } else { rest };
            self.alarm = Some(self.timer.alarm(now, rest, self.keep_alive / STEPS));
            if is_due {
                self.last_write = now;
                return Poll::Ready(self.keep_alive());
            }
        }
    }

    fn keep_alive(&mut self) -> Bytes {
        if let Some(position) = self.events.position_event() {
            self.delivered(&position);
            return position;
        }
        match &self.keep_alive_event {
            Some(event_type) => {
                Frame::from(Event::new("").event_type((**event_type).clone())).into_bytes()
            }
            None => Bytes::from_static(b": keep-alive\n"),
        }
    }

    /// Returns the last line of a stream that the server ends: a reconnection time of 0.5 to 1.5 times the usual one, so that the clients of a
    /// server that restarts do not come back all at once. If a limit was met, it grows with the load.
    pub(super) fn goodbye(&self) -> Bytes {
        let retry = self.retry.at_the_end(&self.timer).mul_f64(self.load());
        let event = match self.goodbye_event() {
            Some(event_type) => {
                let millis = retry.min(Event::MAX_RETRY).as_millis();
                Event::new(format!(r#"{{"retry":{millis}}}"#)).event_type(event_type.clone())
            }
            None => Event::default(),
        };
        Frame::from(event.retry(retry)).into_bytes()
    }
}

/// Returns the first line of each stream.
pub(crate) fn opening() -> BytesMut {
    let mut line = BytesMut::new();
    encode::comment("ok", &mut line);
    line
}
