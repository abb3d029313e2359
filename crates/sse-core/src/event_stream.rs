use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt;
use tracing::span::EnteredSpan;

use crate::feed::OriginOnce;
use crate::feed::events::Events;
use crate::feed::options::StreamOptions;
use crate::timer::Timer;
use crate::unwritten::Unwritten;
use crate::{Cut, End, Gap, LastEventId, Shutdown, StreamRequest};

mod admission;
mod breaking_off;
mod ends;
pub(crate) mod lines;
mod span;
mod state;
mod watched;

use state::{Ending, Progress, State};
use watched::Watched;

/// The body of an event stream: a first line, the events, a comment if there is no event for long, the end.
///
/// Every item is whole frames, never empty. If something fails the body ends after whole frames, and the client comes back; with
/// [`Feed::cut_on_error`](crate::Feed::cut_on_error) the last item is a [`Cut`] instead, and with
/// [`Feed::cut_on_goodbye`](crate::Feed::cut_on_goodbye) also if the server ends it. There is no other error.
/// Dropping the body frees all that the client held. The body starts no task: it runs only while it is polled.
///
/// ```
/// use futures_util::StreamExt;
/// use sse_core::{EventLog, EventStream, StreamRequest, StreamResponse, Timer};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
/// let log = EventLog::in_memory(1000);
/// let mut body: EventStream = StreamResponse::new(&request, &log, timer).body;
/// assert!(body.next().await.unwrap()?.starts_with(b": ok\n"));
/// # Ok::<(), sse_core::Cut>(())
/// # }).unwrap().unwrap();
/// ```
pub struct EventStream(Content);

#[allow(clippy::large_enum_variant, reason = "nearly all are of the large one")]
enum Content {
    Running(State),
    /// The only bytes of a response that is no stream, until they are given.
    Only(Option<Bytes>),
}

impl EventStream {
    /// Returns the body of the response, or the status of one without a body. `gap` is one that was found beforehand, and ends the stream.
    pub(crate) fn new(
        request: &StreamRequest,
        origin: OriginOnce,
        mut options: StreamOptions,
        timer: Timer,
        gap: Option<Gap>,
    ) -> Result<Self, u16> {
        let last_event_id = request.last_event_id(&options.last_event_id_parameter);
        options.on_gap = options.on_gap.on(&timer);
        options.start = options.start.on(&timer);
        let mut watched = None;
        if request.is_head() {
            options.stream_limits = None;
        } else {
            let span = span::of_stream(&origin, &last_event_id, &options.start);
            watched = Watched::new(options.observer.take(), span, timer.now());
        }
        let is_new = last_event_id == LastEventId::Absent;
        let started = match gap {
            Some(gap) => Err((End::Gap, Some(gap))),
            None => admission::start(origin, last_event_id, &options, &timer),
        };
        let (events, ends) = match started {
            Ok(admitted) => {
                if let Some(watched) = watched.as_mut().filter(|_| !admitted.0.can_replay()) {
                    watched.is_live();
                }
                admitted
            }
            Err((End::Finished, _)) if is_new && options.finished_first_visit == 200 => {
                (Events::Refused, None)
            }
            Err((end, gap)) => {
                if let Some(mut watched) = watched.take() {
                    gap.iter().for_each(|gap| watched.gap(gap));
                    watched.end(end);
                    watched.over(timer.now());
                }
                return Err(match end {
                    End::Gap => options.on_gap.status().unwrap_or(204),
                    _ if is_new => options.finished_first_visit,
                    _ => 204,
                });
            }
        };
        if request.is_head() {
            return Ok(Self::only(None));
        }
        let is_poll = options.polls.include(request);
        let cuts_on_goodbye = options.cuts_on_goodbye;
        let StreamOptions { keep_alive, keep_alive_event, retry, failure, shutdowns, .. } = options;
        let may_cut = failure.cuts() || cuts_on_goodbye;
        Ok(Self(Content::Running(State {
            events,
            keep_alive,
            keep_alive_event: keep_alive_event.map(Box::new),
            retry,
            failure,
            open: shutdowns.iter().map(Shutdown::open).collect(),
            ends,
            alarm: None,
            last_write: timer.now(),
            timer,
            unwritten: may_cut.then(Unwritten::default),
            progress: Progress::New,
            watched,
            end: End::Left,
            ending: if is_poll { Ending::CaughtUp } else { Ending::Never },
        })))
    }

    /// Returns a body of these bytes alone.
    pub(crate) fn only(bytes: Option<Bytes>) -> Self {
        Self(Content::Only(bytes))
    }

    /// Ends the stream also once this future is ready, in the same way as its [`Shutdown`](crate::Shutdown). If several are set, the first
    /// that is ready ends it.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    ///
    /// let body = StreamResponse::new(&request, EventLog::in_memory(1000), timer).body;
    /// let items: Vec<_> = body.until(async {}).collect().await;
    /// assert!(items[1].as_ref().unwrap().starts_with(b"retry: "));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        if let Content::Running(state) = &mut self.0 {
            state.ends.get_or_insert_default().add(end);
        }
        self
    }

    /// Returns the text that there is at this moment.
    pub(crate) async fn text(mut self) -> String {
        if let Content::Running(state) = &mut self.0 {
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
        let state = match &mut self.0 {
            Content::Running(state) => state,
            Content::Only(bytes) => return Poll::Ready(bytes.take().map(Ok)),
        };
        if let Some(watched) = &mut state.watched
            && let Some(within) = watched.enter()
        {
            return self.poll_within(within, cx);
        }
        let item = match ready!(state.poll_next(cx)) {
            Some(Ok(chunk)) => Some(Ok(match &state.unwritten {
                Some(unwritten) if state.progress != Progress::Writing => unwritten.count(chunk),
                _ => chunk,
            })),
            end => {
                // All that the client holds is freed now, because the framework may drop the body later.
                self.over();
                end
            }
        };
        Poll::Ready(item)
    }
}

impl EventStream {
    /// Polls a stream within its span. It calls itself again, so that a stream without a span pays nothing for it.
    #[cold]
    fn poll_within(
        &mut self,
        _within: EnteredSpan,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        let polled = Pin::new(&mut *self).poll_next(cx);
        if let Content::Running(State { watched: Some(watched), .. }) = &mut self.0 {
            watched.exit();
        }
        polled
    }

    /// Frees all that the client held, and tells an observer.
    fn over(&mut self) {
        let Content::Running(mut state) = mem::replace(&mut self.0, Content::Only(None)) else {
            return;
        };
        let _within = state.watched.as_mut().and_then(|watched| watched.enter());
        state.tell_of_gaps();
        tracing::debug!(end = ?state.end, "an event stream ended");
        let State { watched, end, timer, events, open, .. } = state;
        // An observer that counts the open streams no longer finds this one.
        drop((events, open));
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
        let has_ended = matches!(self.0, Content::Only(None));
        f.debug_struct("EventStream").field("has_ended", &has_ended).finish()
    }
}
