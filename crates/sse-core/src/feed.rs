// Longer than other files: each option stands here with its docs, so that they are read in one place.

pub(crate) mod failure;
pub(crate) mod options;
mod polls;
pub(crate) mod running;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::feed::options::Options;
use crate::feed::polls::Polls;
use crate::stream_context::Receiver;
use crate::{BoxError, Error, Event, EventLog, EventType, OnGap, Shutdown, Source, Start};

/// Where one client's events come from, and the options of its stream.
///
/// An [`EventLog`](crate::EventLog), a [`merge`](crate::merge) of several, a [`Source`](crate::Source) and the channel of a [`StreamContext`](crate::StreamContext)
/// each make one, and wherever a feed is asked for they will do as they are.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{EventLog, OnGap};
///
/// let log = EventLog::in_memory(1000);
/// let feed = log
///     .feed()
///     .retry(Duration::from_secs(1))
///     .keep_alive(Duration::from_secs(15))
///     .on_gap(OnGap::Live)
///     .on_error(|error| eprintln!("a stream ended early: {error}"));
/// # drop(feed);
/// ```
pub struct Feed {
    pub(crate) origin: Origin,
    pub(crate) options: Options,
}

pub(crate) enum Origin {
    Log(EventLog),
    /// Each by its name.
    Merge(Vec<(Arc<str>, EventLog)>),
    Source(Arc<dyn Source>),
    Context(Receiver, Option<Running>),
}

/// The closure of a stream, as it runs.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

impl Feed {
    /// The longest time between keep-alives, an hour. There is no stream without: a server learns by writing that a client
    /// is gone, on Rocket, and in HTTP/2 on actix-web, in no other way.
    pub const MAX_KEEP_ALIVE: Duration = Duration::from_secs(3600);
    /// The shortest, a millisecond.
    pub const MIN_KEEP_ALIVE: Duration = Duration::from_millis(1);

    /// How long the stream is silent before it sends a comment, so that proxies do not cut it off and a client that is gone is
    /// noticed. Default 20 s; what is not between [`MIN_KEEP_ALIVE`](Feed::MIN_KEEP_ALIVE) and
    /// [`MAX_KEEP_ALIVE`](Feed::MAX_KEEP_ALIVE) is taken as the nearer of the two. Zero, which elsewhere means none, is taken as
    /// the longest.
    #[must_use]
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.options.keep_alive = match silence {
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
        self.options.keep_alive_event = Some(event_type);
        self
    }

    /// How long clients wait before they reconnect, said at the start of the stream. Without it they wait what they are used to:
    /// browsers 3 to 5 s. At most [`Event::MAX_RETRY`](crate::Event::MAX_RETRY).
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Where the stream of a client begins that is here for the first time. Default [`Start::Live`].
    ///
    /// The feed of a [`Source`](crate::Source) has no positions: of it, [`Start::At`] alone makes a difference, which is given to
    /// `fetch`. That of a [`StreamContext`](crate::StreamContext) begins where it begins.
    #[must_use]
    pub fn start_at(mut self, start: Start) -> Self {
        self.options.start = start;
        self
    }

    /// Begins a stream that begins live with an event of this type: its data is empty, its id the position in the log.
    ///
    /// Without it a client that is cut off before its first event has no id to come back with. It begins live once more, and has
    /// missed in silence what was appended in between. That of a [`merge`](crate::merge) has it on a first visit where
    /// [`start_at`](Feed::start_at) is live, and at no other time. The feed of a [`Source`](crate::Source) or a
    /// [`StreamContext`](crate::StreamContext) has no positions, and no such event.
    ///
    /// A client that does not look at types reads it as an event like others: the AI SDK fails on the empty data. Do not set it for such
    /// clients. The SDKs of MCP ignore every type but `message`, and take an event of that type with empty data for their priming event.
    #[must_use]
    pub fn opening_event(mut self, event_type: EventType) -> Self {
        self.options.opening_event = Some(event_type);
        self
    }

    /// What to do if the client cannot resume exactly where it was. Default: [`OnGap::Reset`].
    ///
    /// Choose [`OnGap::StartOver`] if [`start_at`](Feed::start_at) keeps the history short, and [`OnGap::Stop`] for clients that do not look
    /// at the types of events.
    #[must_use]
    pub fn on_gap(mut self, on_gap: OnGap) -> Self {
        self.options.on_gap = on_gap;
        self
    }

    /// Calls this with the error that ends a stream early: of a store, or of the application's own [`Source`](crate::Source), snapshot or
    /// closure, a panic of which is an error as others. Errors also go to `tracing`, as warnings.
    #[must_use]
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.options.failure.on_error(on_error);
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
        self.options.failure.event(event);
        self
    }

    /// Breaks the response off if the stream fails, instead of ending it: after a comment, `: broken off`, the body's last item is a
    /// [`Cut`](crate::Cut). A client that reads to the end of a response then sees an error.
    ///
    /// The framework throws away what it has not written by then. So the `Cut` waits until the framework has dropped every chunk, for 30 s
    /// at most, and then for 100 ms. Rocket and some proxies turn it into a clean end: only [`error_event`](Feed::error_event) arrives
    /// everywhere.
    #[must_use]
    pub fn cut_on_error(mut self) -> Self {
        self.options.failure.cut();
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
        self.options.polls = Polls::All;
        self
    }

    /// Does the same for the requests alone whose query has this parameter, whatever its value: `GET /events?poll`.
    #[must_use]
    pub fn poll_parameter(mut self, name: impl Into<String>) -> Self {
        self.options.polls = Polls::WithParameter(name.into());
        self
    }

    /// The parameter of the query in which clients that cannot set headers send the last event ID. Default `lastEventId`, as
    /// event-source-polyfill has it.
    #[must_use]
    pub fn last_event_id_parameter(mut self, name: impl Into<String>) -> Self {
        self.options.last_event_id_parameter = name.into();
        self
    }

    /// What ends the stream, besides those that it has already: a log brings its own, a merge those of its logs, other feeds have
    /// none. So a feed can be given several: the server's, and that of the session to which it belongs.
    #[must_use]
    pub fn shutdown(mut self, shutdown: &Shutdown) -> Self {
        self.options.tie(shutdown);
        self
    }

    /// How many events of a [`Source`](crate::Source) are kept that are published while one client catches up; default 1024,
    /// and 1 MiB in any case. If there are more, the response ends after the replay, and the client comes back for the rest.
    #[must_use]
    pub fn buffered_events(mut self, events: usize) -> Self {
        self.options.limits.buffered = events;
        self
    }

    /// How many ids of a replay are remembered for one client of a [`Source`](crate::Source), so that none of its events is
    /// delivered a second time; default 10 000, of 16 bytes each. After a longer replay the response ends, and the client comes back
    /// for the rest.
    #[must_use]
    pub fn remembered_ids(mut self, ids: usize) -> Self {
        self.options.limits.remembered = ids;
        self
    }

    /// For how long after the last event of a replay the live half of a [`Source`](crate::Source) may still bring an event that was in
    /// the replay; the ids of the replay are forgotten then. Default 60 s; [`Duration::MAX`] keeps them for as long as the stream lives.
    #[must_use]
    pub fn late_notifications(mut self, late: Duration) -> Self {
        self.options.limits.late = late;
        self
    }

    pub(crate) fn from_receiver(receiver: Receiver, running: Option<Running>) -> Self {
        Self::new(Origin::Context(receiver, running), &[])
    }

    pub(crate) fn new(origin: Origin, shutdowns: &[Shutdown]) -> Self {
        Self { origin, options: Options::with_shutdowns(shutdowns) }
    }
}

impl From<&EventLog> for Feed {
    fn from(log: &EventLog) -> Self {
        Self::new(Origin::Log(log.clone()), std::slice::from_ref(log.shutdown()))
    }
}

impl From<EventLog> for Feed {
    fn from(log: EventLog) -> Self {
        Self::from(&log)
    }
}

impl<S: Source> From<S> for Feed {
    fn from(source: S) -> Self {
        Self::new(Origin::Source(Arc::new(source)), &[])
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match &self.origin {
            Origin::Log(_) => "log",
            Origin::Merge(_) => "merge",
            Origin::Source(_) => "source",
            Origin::Context(..) => "context",
        };
        f.debug_struct("Feed")
            .field("origin", &origin)
            .field("keep_alive", &self.options.keep_alive)
            .finish_non_exhaustive()
    }
}
