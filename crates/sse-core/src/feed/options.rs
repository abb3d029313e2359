// Longer than other files: each option stands here with its docs, so that they are read in one place.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::feed::failure::Failure;
use crate::feed::polls::Polls;
use crate::observer::{Observer, Observing};
use crate::{Error, Event, EventType, OnGap, Shutdown, Start};

/// What the streams of a feed do: made once, and given to many feeds by [`Feed::with`](crate::Feed::with). A [`Feed`](crate::Feed) has the
/// same methods.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{EventLog, OnGap, StreamOptions};
///
/// let options = StreamOptions::new().keep_alive(Duration::from_secs(15)).on_gap(OnGap::StartOver);
/// let (prices, news) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
/// let feeds = [prices.feed().with(&options), news.feed().with(&options)];
/// assert_eq!(feeds.len(), 2);
/// ```
#[derive(Clone)]
pub struct StreamOptions {
    pub(crate) keep_alive: Duration,
    pub(crate) keep_alive_event: Option<EventType>,
    pub(crate) retry: Option<Duration>,
    pub(crate) start: Start,
    pub(crate) position_event: Option<EventType>,
    pub(crate) on_gap: OnGap,
    pub(crate) failure: Failure,
    pub(crate) polls: Polls,
    pub(crate) last_event_id_parameter: Cow<'static, str>,
    /// Each of which ends the stream.
    pub(crate) shutdowns: Vec<Shutdown>,
    pub(crate) limits: SourceLimits,
    pub(crate) observer: Option<Observing>,
}

/// What bounds the memory of one client of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceLimits {
    /// How many events are kept that are published while it catches up.
    pub(crate) buffered: usize,
    /// How many ids are remembered of those replayed.
    pub(crate) remembered: usize,
    /// For how long after the replay.
    pub(crate) late: Duration,
}

impl StreamOptions {
    /// The defaults of every option.
    pub fn new() -> Self {
        Self {
            keep_alive: Duration::from_secs(20),
            keep_alive_event: None,
            retry: None,
            start: Start::default(),
            position_event: None,
            on_gap: OnGap::default(),
            failure: Failure::default(),
            polls: Polls::default(),
            last_event_id_parameter: Cow::Borrowed("lastEventId"),
            shutdowns: Vec::new(),
            limits: SourceLimits {
                buffered: 1024,
                remembered: 10_000,
                late: Duration::from_secs(60),
            },
            observer: None,
        }
    }

    /// The longest time between keep-alives, an hour. There is no stream without: a server learns by writing that a client
    /// is gone, on Rocket, and in HTTP/2 on actix-web, in no other way.
    pub const MAX_KEEP_ALIVE: Duration = Duration::from_secs(3600);
    /// The shortest, a millisecond.
    pub const MIN_KEEP_ALIVE: Duration = Duration::from_millis(1);

    /// How long the stream is silent before it sends a comment, so that proxies do not cut it off and a client that is gone is
    /// noticed. Default 20 s; what is not between [`MIN_KEEP_ALIVE`](StreamOptions::MIN_KEEP_ALIVE) and
    /// [`MAX_KEEP_ALIVE`](StreamOptions::MAX_KEEP_ALIVE) is taken as the nearer of the two. Zero, which elsewhere means none, is taken as
    /// the longest.
    #[must_use]
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.keep_alive = match silence {
            Duration::ZERO => Self::MAX_KEEP_ALIVE,
            silence => silence.clamp(Self::MIN_KEEP_ALIVE, Self::MAX_KEEP_ALIVE),
        };
        self
    }

    /// Sends an event of this type, with empty data, instead of the comment that keeps the stream alive. Scripts do not see comments, so a
    /// page that watches for silence needs it.
    ///
    /// A client that does not look at types reads it as an event like others: the AI SDK fails on the empty data. Do not set it for such
    /// clients. The SDKs of MCP ignore it.
    #[must_use]
    pub fn keep_alive_event(mut self, event_type: EventType) -> Self {
        self.keep_alive_event = Some(event_type);
        self
    }

    /// How long clients wait before they reconnect, said at the start of the stream. Without it they wait what they are used to:
    /// browsers 3 to 5 s. At most [`Event::MAX_RETRY`](crate::Event::MAX_RETRY).
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Where the stream of a client begins that is here for the first time. Default [`Start::Live`].
    ///
    /// The feed of a [`Source`](crate::Source) has no positions: of it, [`Start::After`] alone makes a difference, which is given to
    /// `fetch`. That of a [`StreamContext`](crate::StreamContext) begins where it begins.
    #[must_use]
    pub fn start_at(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Begins a stream that begins live with an event of this type: its data is empty, its id the position in the log.
    ///
    /// Without it a client that is cut off before its first event has no id to come back with. It begins live once more, and has
    /// missed in silence what was appended in between. That of a [`merge`](crate::merge) has it on a first visit where
    /// [`start_at`](StreamOptions::start_at) is live, and at no other time. The feed of a [`Source`](crate::Source) or a
    /// [`StreamContext`](crate::StreamContext) has no positions, and no such event.
    ///
    /// A client that does not look at types reads it as an event like others: the AI SDK fails on the empty data. Do not set it for such
    /// clients. The SDKs of MCP ignore every type but `message`, and take an event of that type with empty data for their priming event.
    #[must_use]
    pub fn position_event(mut self, event_type: EventType) -> Self {
        self.position_event = Some(event_type);
        self
    }

    /// What to do if the client cannot resume exactly where it was. Default: [`OnGap::Reset`].
    ///
    /// Choose [`OnGap::StartOver`] if [`start_at`](StreamOptions::start_at) keeps the history short, and [`OnGap::Stop`] for clients that do not look
    /// at the types of events.
    #[must_use]
    pub fn on_gap(mut self, on_gap: OnGap) -> Self {
        self.on_gap = on_gap;
        self
    }

    /// Calls this with the error that ends a stream early: of a store, or of the application's own [`Source`](crate::Source), snapshot or
    /// closure, a panic of which is an error as others. Errors also go to `tracing`, as warnings.
    #[must_use]
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.failure.on_error(on_error);
        self
    }

    /// Sends the event that this makes of an error before the stream ends early, so that a client that cannot resume knows that what it
    /// has is not whole. Without it a stream that failed ends as one that is complete; `EventSource` comes back from either. The event goes
    /// out without an id, so that a client which can resume still does.
    ///
    /// ```
    /// use sse_core::{Event, EventType, StreamContext};
    ///
    /// # type BoxError = Box<dyn std::error::Error + Send + Sync>;
    /// let feed = StreamContext::run(|answer| async move {
    ///     answer.send_event("The").await?;
    ///     Err::<(), BoxError>("the model went away".into())
    /// });
    /// let feed = feed.error_event(|_| Event::new("the answer is not whole").event_type(EventType::from_static("failed")));
    /// # use sse_core::{StreamRequest, StreamResponse, Timer};
    /// # let response = StreamResponse::new(&StreamRequest::new("GET", None, []), feed, Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// # let text = futures_util::future::FutureExt::now_or_never(response.text()).unwrap();
    /// assert!(text.ends_with("event: failed\ndata: the answer is not whole\n\n"));
    /// ```
    #[must_use]
    pub fn error_event(mut self, event: impl Fn(&Error) -> Event + Send + Sync + 'static) -> Self {
        self.failure.event(event);
        self
    }

    /// Breaks the response off if the stream fails, instead of ending it: after a comment, `: broken off`, the body's last item is a
    /// [`Cut`](crate::Cut). A client that reads to the end of a response then sees an error.
    ///
    /// The framework throws away what it has not written by then. So the `Cut` waits until the framework has dropped every chunk, for 30 s
    /// at most, and then for 100 ms. Rocket and some proxies turn it into a clean end: only [`error_event`](StreamOptions::error_event) arrives
    /// everywhere.
    #[must_use]
    pub fn cut_on_error(mut self) -> Self {
        self.failure.cut();
        self
    }

    /// Ends each response once its client has what was there when it came, or, if that was nothing, after the first events that come: so
    /// a client polls. What a [`StreamContext`](crate::StreamContext) sends is sent to its end, since it cannot be had later.
    ///
    /// ```
    /// use sse_core::{EventLog, Start, StreamRequest, StreamResponse, Timer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append("hello").await?;
    /// let request = StreamRequest::new("GET", None, [("Accept", &b"application/json"[..])]);
    /// let mut feed = log.feed().start_at(Start::Oldest);
    /// if !request.accepts_event_stream() {
    ///     feed = feed.ends_when_caught_up();
    /// }
    /// let timer = Timer::new(std::time::Instant::now, tokio::time::sleep);
    /// let body = StreamResponse::new(&request, feed, timer).body;
    /// # use futures_util::StreamExt;
    /// assert_eq!(body.collect::<Vec<_>>().await.len(), 2, "the first line, and what was there");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn ends_when_caught_up(mut self) -> Self {
        self.polls = Polls::All;
        self
    }

    /// Does the same for the requests alone whose query has this parameter, whatever its value: `GET /events?poll`.
    #[must_use]
    pub fn poll_parameter(mut self, name: impl Into<String>) -> Self {
        self.polls = Polls::WithParameter(name.into());
        self
    }

    /// The parameter of the query in which clients that cannot set headers send the last event ID. Default `lastEventId`, as
    /// event-source-polyfill has it.
    #[must_use]
    pub fn last_event_id_parameter(mut self, name: impl Into<String>) -> Self {
        self.last_event_id_parameter = Cow::Owned(name.into());
        self
    }

    /// What ends the stream, besides those that it has already: a log brings its own, a merge those of its logs, other feeds have
    /// none. So a feed can be given several: the server's, and that of the session to which it belongs.
    #[must_use]
    pub fn shutdown(mut self, shutdown: &Shutdown) -> Self {
        self.tie(shutdown);
        self
    }

    /// How many events of a [`Source`](crate::Source) are kept that are published while one client catches up; default 1024,
    /// and 1 MiB in any case. If there are more, the response ends after the replay, and the client comes back for the rest.
    #[must_use]
    pub fn buffered_events(mut self, events: usize) -> Self {
        self.limits.buffered = events;
        self
    }

    /// How many ids of a replay are remembered for one client of a [`Source`](crate::Source), so that none of its events is
    /// delivered a second time; default 10 000, of 16 bytes each. After a longer replay the response ends, and the client comes back
    /// for the rest.
    #[must_use]
    pub fn remembered_ids(mut self, ids: usize) -> Self {
        self.limits.remembered = ids;
        self
    }

    /// For how long after the last event of a replay the live half of a [`Source`](crate::Source) may still bring an event that was in
    /// the replay; the ids of the replay are forgotten then. Default 60 s; [`Duration::MAX`] keeps them for as long as the stream lives.
    #[must_use]
    pub fn late_notifications(mut self, late: Duration) -> Self {
        self.limits.late = late;
        self
    }

    /// Tells this of each stream. Default: the observer of the log, if it has one ([`EventLog::observe`](crate::EventLog::observe)). To share
    /// one, give it as an `Arc`.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Observing::new(observer));
        self
    }

    /// Each shutdown counts a stream once, however often it was given.
    pub(crate) fn tie(&mut self, shutdown: &Shutdown) {
        if !self.shutdowns.iter().any(|known| known.is(shutdown)) {
            self.shutdowns.push(shutdown.clone());
        }
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOptions")
            .field("keep_alive", &self.keep_alive)
            .field("retry", &self.retry)
            .field("start", &self.start)
            .field("on_gap", &self.on_gap)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
