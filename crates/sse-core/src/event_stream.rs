use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use sync_wrapper::SyncWrapper;

use crate::events::Events;
use crate::feed::{Feed, OnError, Options};
use crate::shutdown::OpenStream;
use crate::timer::{Sleep, Timer};
use crate::{Event, EventType, Frame, Shutdown, StreamRequest, encode};

/// What browsers wait before they reconnect if nobody tells them.
const USUAL_RETRY: Duration = Duration::from_secs(3);

/// The body of an event stream: a first line, the events, a comment where there are none for long, the end.
///
/// Every item is whole frames, never empty. There is no error among them, since bodies that fail are handled differently by every
/// framework: where something fails the body ends after whole frames, and the client comes back. Dropping it frees all that the
/// client held. Nothing runs for it but what polls it.
pub struct EventStream {
    state: Option<State>,
}

/// A stream that has not ended. Of its options it has those alone that it needs as it runs: a server holds very many of these.
struct State {
    events: Events,
    keep_alive: Duration,
    keep_alive_event: Option<EventType>,
    retry: Option<Duration>,
    on_error: Option<OnError>,
    /// As every shutdown that concerns it sees it.
    open: Vec<OpenStream>,
    /// Ends the stream from without, as the shutdown of the whole server.
    until: Option<SyncWrapper<Sleep>>,
    timer: Timer,
    sleep: SyncWrapper<Sleep>,
    last_write: Instant,
    progress: Progress,
    /// Whether the client cannot read on for ever: it gets what there is.
    is_poll: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing has been written, not even the first line.
    New,
    Open,
    /// At least one event has been written.
    Delivering,
    /// The last line has been written.
    Ending,
}

impl EventStream {
    /// The body of the answer; `None` where there is to be none, and the client is not to ask again.
    pub(crate) fn new(request: &StreamRequest, feed: Feed, timer: Timer) -> Option<Self> {
        let Feed { origin, options } = feed;
        let last_event_id = request.last_event_id(&options.last_event_id_parameter);
        let events = Events::new(origin, last_event_id, &options)?;
        if request.is_head() {
            return Some(Self::empty());
        }
        let Options { keep_alive, keep_alive_event, retry, on_error, shutdowns, .. } = options;
        Some(Self {
            state: Some(State {
                events,
                keep_alive,
                keep_alive_event,
                retry,
                on_error,
                open: shutdowns.iter().map(Shutdown::open).collect(),
                until: None,
                sleep: SyncWrapper::new(timer.sleep(keep_alive)),
                last_write: timer.now(),
                timer,
                progress: Progress::New,
                is_poll: !request.accepts_event_stream(),
            }),
        })
    }

    /// One that has ended.
    pub(crate) fn empty() -> Self {
        Self { state: None }
    }

    /// The same stream, which also ends once this is ready, as it would by its [`Shutdown`](crate::Shutdown). Of several, the
    /// first that is ready ends it.
    #[must_use]
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        if let Some(state) = &mut self.state {
            let end: Sleep = match state.until.take() {
                Some(other) => Box::pin(async move {
                    futures_util::future::select(pin!(end), other.into_inner()).await;
                }),
                None => Box::pin(end),
            };
            state.until = Some(SyncWrapper::new(end));
        }
        self
    }
}

impl Stream for EventStream {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(state) = &mut self.state else {
            return Poll::Ready(None);
        };
        let Poll::Ready(chunk) = state.poll_next(cx) else {
            return Poll::Pending;
        };
        if chunk.is_none() {
            // All that the client holds is freed now, whenever the framework drops the body.
            self.state = None;
        }
        Poll::Ready(chunk.map(Ok))
    }
}

impl State {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.progress {
            Progress::New => {
                self.progress = Progress::Open;
                return Poll::Ready(Some(self.first_line()));
            }
            Progress::Ending => return Poll::Ready(None),
            Progress::Open | Progress::Delivering => {}
        }
        if self.poll_shutdown(cx).is_ready() {
            self.progress = Progress::Ending;
            return Poll::Ready(Some(goodbye(self.retry)));
        }
        match self.events.poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.progress = Progress::Delivering;
                self.last_write = self.timer.now();
                Poll::Ready(Some(chunk))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an event stream ends early; its client comes back"
                );
                if let Some(on_error) = &self.on_error {
                    on_error(&error);
                }
                Poll::Ready(None)
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending
                if self.is_poll
                    && self.progress == Progress::Delivering
                    && self.events.can_be_polled() =>
            {
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_keep_alive(cx).map(Some),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = &mut self.until
            && until.get_mut().as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(());
        }
        let has_begun = |open: &mut OpenStream| open.poll_begun(cx).is_ready();
        if self.open.iter_mut().any(has_begun) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// A comment at once, so that the answer is seen to have begun; and how long to wait before coming back.
    fn first_line(&self) -> Bytes {
        let mut line = BytesMut::new();
        encode::comment("ok", &mut line);
        if let Some(retry) = self.retry {
            line.extend_from_slice(Frame::from(Event::default().retry(retry)).as_bytes());
        }
        line.freeze()
    }

    /// Sleeps on where something was written meanwhile: the timer is set once an interval, not once an event.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        while self.sleep.get_mut().as_mut().poll(cx).is_ready() {
            let now = self.timer.now();
            let silence = now.saturating_duration_since(self.last_write);
            let is_due = silence >= self.keep_alive;
            let rest = if is_due { self.keep_alive } else { self.keep_alive - silence };
            self.sleep = SyncWrapper::new(self.timer.sleep(rest));
            if is_due {
                self.last_write = now;
                return Poll::Ready(self.keep_alive());
            }
        }
        Poll::Pending
    }

    fn keep_alive(&self) -> Bytes {
        match &self.keep_alive_event {
            Some(event_type) => {
                Frame::from(Event::new("").event_type(event_type.clone())).into_bytes()
            }
            None => Bytes::from_static(b": keep-alive\n"),
        }
    }
}

/// The last line of a stream that is shut down: a reconnection time of one half to three halves of the usual one, so that the
/// clients of a server that restarts do not come back all at once.
fn goodbye(retry: Option<Duration>) -> Bytes {
    let usual = retry.unwrap_or(USUAL_RETRY).min(Event::MAX_RETRY);
    Frame::from(Event::default().retry(usual.mul_f64(0.5 + fastrand::f64()))).into_bytes()
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("has_ended", &self.state.is_none()).finish()
    }
}
