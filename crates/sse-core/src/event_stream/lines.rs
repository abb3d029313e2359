//! The lines of a stream besides its events: the first line, the keep-alive, the goodbye.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sync_wrapper::SyncWrapper;

use crate::event_stream::state::State;
use crate::{Event, Frame, encode};

/// The time that browsers wait before they reconnect, if the stream does not set one.
const USUAL_RETRY: Duration = Duration::from_secs(3);

impl State {
    /// Returns a comment, which shows at once that the response has begun, and the reconnection time if one is set.
    pub(super) fn first_line(&self) -> Bytes {
        let mut line = opening();
        if let Some(retry) = self.retry {
            line.extend_from_slice(Frame::from(Event::default().retry(retry)).as_bytes());
        }
        line.freeze()
    }

    /// Waits until the stream has been silent for the interval, and returns a keep-alive. It sets the timer once an interval, not once an event.
    pub(super) fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.get_mut().as_mut().poll(cx));
            }
            let now = self.timer.now();
            let rest =
                self.keep_alive.saturating_sub(now.saturating_duration_since(self.last_write));
            let is_due = self.sleep.is_some() && rest.is_zero();
            let rest = if is_due { self.keep_alive } else { rest };
            self.sleep = Some(SyncWrapper::new(self.timer.sleep(rest)));
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
                Frame::from(Event::new("").event_type(event_type.clone())).into_bytes()
            }
            None => Bytes::from_static(b": keep-alive\n"),
        }
    }

    /// Returns the last line of a stream that is shut down.
    pub(super) fn goodbye(&self) -> Bytes {
        goodbye(self.retry)
    }
}

/// Returns the first line of each stream.
pub(crate) fn opening() -> BytesMut {
    let mut line = BytesMut::new();
    encode::comment("ok", &mut line);
    line
}

/// Returns a reconnection time of 0.5 to 1.5 times the usual one, so that the clients of a server do not come back all at once.
pub(crate) fn goodbye(retry: Option<Duration>) -> Bytes {
    let usual = retry.unwrap_or(USUAL_RETRY).min(Event::MAX_RETRY);
    Frame::from(Event::default().retry(usual.mul_f64(0.5 + fastrand::f64()))).into_bytes()
}
