use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt;
use sync_wrapper::SyncWrapper;

use crate::feed::FeedOnce;
use crate::feed::failure::Failure;
use crate::feed::options::StreamOptions;
use crate::feed::running::Events;
use crate::shutdown::OpenStream;
use crate::timer::{Sleep, Timer};
use crate::unwritten::Unwritten;
use crate::{Cut, End, EventType, Shutdown, StreamRequest};

mod breaking_off;
mod lines;
mod watched;

use lines::goodbye;
use watched::Watched;

/// The body of an event stream: a first line, the events, a comment where there are none for long, the end.
///
/// Every item is whole frames, never empty. If something fails the body ends after whole frames, and the client comes back; if
/// [`Feed::cut_on_error`](crate::Feed::cut_on_error) asks for it, the last item is a [`Cut`] instead, and there is no other error.
/// Dropping the body frees all that the client held. Nothing runs for it but what polls it.
pub struct EventStream {
    state: Option<State>,
}

/// A stream that has not ended. Of its options it has those alone that it needs as it runs: a server holds very many of these.
struct State {
    events: Events,
    keep_alive: Duration,
    keep_alive_event: Option<EventType>,
    retry: Option<Duration>,
    failure: Failure,
    /// As every shutdown that concerns it sees it.
    open: Vec<OpenStream>,
    /// Ends the stream from without, as the shutdown of the whole server.
    until: Option<SyncWrapper<Sleep>>,
    timer: Timer,
    /// Set when there is nothing to write for the first time: it needs a runtime, and many answers are short.
    sleep: Option<SyncWrapper<Sleep>>,
    last_write: Instant,
    progress: Progress,
    ending: Ending,
    /// Counted only if the response is to be broken off when it fails.
    unwritten: Option<Unwritten>,
    /// If somebody observes the stream.
    watched: Option<Box<Watched>>,
    /// Why it ends, once that is known.
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing has been written, not even the first line.
    New,
    Open,
    /// At least one event has been written.
    Delivering,
    /// The last has been written.
    Ending,
    /// The framework has been given the last event, and the response is to be broken off.
    Failed,
    /// The same, once the framework has written it.
    Writing,
    /// It has written the last, and the response is to be broken off once it has had time to send it.
    Cutting,
}

/// When the stream of a client ends that is not there for good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It reads on.
    Never,
    /// Once it has what was there when it came; or else the first events that come.
    CaughtUp,
    /// Once it has what was there when it came.
    AtOnce,
}

impl EventStream {
    /// The body of the answer; `None` where there is to be none, and the client is not to ask again.
    pub(crate) fn new(request: &StreamRequest, feed: FeedOnce, timer: Timer) -> Option<Self> {
        let (origin, mut options) = feed.into_parts();
        let last_event_id = request.last_event_id(&options.last_event_id_parameter);
        options.on_gap = options.on_gap.on(&timer);
        let observer = options.observer.take().filter(|_| !request.is_head());
        let mut watched = observer.map(|observer| Box::new(Watched::new(observer, timer.now())));
        let events = match Events::new(origin, last_event_id, &options, &timer) {
            Ok(events) => events,
            Err((end, gap)) => {
                if let Some(mut watched) = watched.take() {
                    gap.iter().for_each(|gap| watched.gap(gap));
                    watched.end(end);
                    watched.over(timer.now());
                }
                return None;
            }
        };
        if request.is_head() {
            return Some(Self::empty());
        }
        let is_poll = options.polls.include(request);
        let StreamOptions { keep_alive, keep_alive_event, retry, failure, shutdowns, .. } = options;
        let failure_cuts = failure.cuts();
        Some(Self {
            state: Some(State {
                events,
                keep_alive,
                keep_alive_event,
                retry,
                failure,
                open: shutdowns.iter().map(Shutdown::open).collect(),
                until: None,
                sleep: None,
                last_write: timer.now(),
                timer,
                unwritten: failure_cuts.then(Unwritten::default),
                progress: Progress::New,
                watched,
                end: End::Left,
                ending: if is_poll { Ending::CaughtUp } else { Ending::Never },
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

    /// What there is at this moment.
    pub(crate) async fn text(mut self) -> String {
        if let Some(state) = &mut self.state {
            state.ending = Ending::AtOnce;
        }
        let mut text = BytesMut::new();
        while let Some(Ok(chunk)) = self.next().await {
            text.extend_from_slice(&chunk);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Stream for EventStream {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(state) = &mut self.state else {
            return Poll::Ready(None);
        };
        let item = match ready!(state.poll_next(cx)) {
            Some(Ok(chunk)) => Some(Ok(match &state.unwritten {
                Some(unwritten) if state.progress != Progress::Writing => unwritten.count(chunk),
                _ => chunk,
            })),
            end => {
                // All that the client holds is freed now, whenever the framework drops the body.
                self.over();
                end
            }
        };
        Poll::Ready(item)
    }
}

impl State {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.progress {
            Progress::New => {
                self.progress = Progress::Open;
                return Poll::Ready(Some(Ok(self.first_line())));
            }
            Progress::Ending => return Poll::Ready(None),
            Progress::Failed => return Poll::Ready(Some(Ok(self.break_off()))),
            Progress::Writing | Progress::Cutting => return self.poll_cut(cx),
            Progress::Open | Progress::Delivering => {}
        }
        if self.poll_shutdown(cx).is_ready() {
            if let Some(chunk) = self.events.close(cx) {
                self.delivered(&chunk);
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.progress = Progress::Ending;
            self.end = End::Shutdown;
            return Poll::Ready(Some(Ok(goodbye(self.retry))));
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
            Poll::Pending if self.may_end() && self.events.can_be_polled() => {
                self.end = End::Polled;
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_keep_alive(cx).map(|line| Some(Ok(line))),
        }
    }

    fn delivered(&mut self, chunk: &[u8]) {
        self.tell_of_gaps();
        if let Some(watched) = &mut self.watched {
            watched.delivered(chunk);
        }
    }

    fn tell_of_gaps(&mut self) {
        while let Some(gap) = self.events.take_gap() {
            tracing::debug!(reason = %gap.reason, log = gap.log.as_deref(), "a client cannot resume exactly where it was");
            if let Some(watched) = &self.watched {
                watched.gap(&gap);
            }
        }
    }

    /// Whether a client that is not there for good has what was there when it came.
    fn is_at_its_end(&mut self) -> bool {
        // Asked at the first poll, since then it is that the client comes.
        self.ending != Ending::Never && self.events.has_caught_up() && self.may_end()
    }

    fn may_end(&self) -> bool {
        match self.ending {
            Ending::Never => false,
            // Word of a gap alone has no id, from a source: the client would come back to be told the same.
            Ending::CaughtUp => {
                self.progress == Progress::Delivering && !self.events.has_only_word_of_a_gap()
            }
            Ending::AtOnce => true,
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
}

impl EventStream {
    /// Frees all that the client held, and tells an observer.
    fn over(&mut self) {
        let Some(mut state) = self.state.take() else { return };
        state.tell_of_gaps();
        tracing::debug!(end = ?state.end, "an event stream ended");
        let State { watched, end, timer, .. } = state;
        if let Some(mut watched) = watched {
            watched.end(end);
            watched.over(timer.now());
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.over();
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("has_ended", &self.state.is_none()).finish()
    }
}
