// Longer than other files: each option is here with its docs, so that they can be read in one file.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::feed::failure::Failure;
use crate::feed::polls::Polls;
use crate::feed::retry::Retry;
use crate::observer::{Observer, Observing};
use crate::{Error, Event, EventType, Limits, OnGap, Shutdown, Start};

/// The options of the streams of a feed. Make them once, and give them to many feeds with [`Feed::with`](crate::Feed::with). A
/// [`Feed`](crate::Feed) has the same methods.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{EventLog, OnGap, StreamOptions};
///
/// let options = StreamOptions::new().keep_alive(Duration::from_secs(15)).on_gap(OnGap::StartOver);
/// let (prices, news) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
/// let feeds = [prices.feed().with(&options), news.feed().with(&options)];
/// assert!(feeds.iter().all(|feed| format!("{feed:?}").contains("keep_alive: 15s")));
/// ```
#[derive(Clone)]
pub struct StreamOptions {
    pub(crate) keep_alive: Duration,
    pub(crate) keep_alive_event: Option<EventType>,
    pub(crate) retry: Retry,
    pub(crate) start: Start,
    pub(crate) position_event: Option<EventType>,
    /// True if a client of topics is told its position when nothing was for it.
    pub(crate) tells_position: bool,
    pub(crate) on_gap: OnGap,
    pub(crate) failure: Failure,
    pub(crate) polls: Polls,
    pub(crate) last_event_id_parameter: Cow<'static, str>,
    /// The shutdowns, each of which ends the stream.
    pub(crate) shutdowns: Vec<Shutdown>,
    pub(crate) limits: SourceLimits,
    pub(crate) observer: Option<Observing>,
    pub(crate) stream_limits: Option<Limits>,
    pub(crate) principal: Option<Arc<str>>,
    pub(crate) longest_life: Option<Duration>,
    pub(crate) goodbye_event: Option<EventType>,
    /// True if a stream that ends with a goodbye is broken off.
    pub(crate) cuts_on_goodbye: bool,
    pub(crate) finishes_first: bool,
    /// The status of a first visit to a finished log for which there is nothing.
    pub(crate) finished_first_visit: u16,
}

/// The limits on the memory of one client of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceLimits {
    /// The number of events kept that are published while the client catches up.
    pub(crate) buffered: usize,
    /// The number of ids of replayed events that are remembered.
    pub(crate) remembered: usize,
    /// The time for which they are remembered after the replay.
    pub(crate) late: Duration,
}

impl StreamOptions {
    /// Returns the default of every option.
    ///
    /// ```
    /// use sse_core::{EventLog, StreamOptions};
    ///
    /// let feed = EventLog::in_memory(1000).feed().with(&StreamOptions::new());
    /// assert!(format!("{feed:?}").contains("keep_alive: 20s"));
    /// ```
    pub fn new() -> Self {
        Self {
            keep_alive: Duration::from_secs(20),
            keep_alive_event: None,
            retry: Retry::default(),
            start: Start::default(),
            position_event: None,
            tells_position: true,
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
            stream_limits: None,
            principal: None,
            longest_life: None,
            goodbye_event: None,
            cuts_on_goodbye: false,
            finishes_first: false,
            finished_first_visit: 204,
        }
    }

    /// The longest time between keep-alives: 1 h. Every stream has keep-alives, because a server learns by writing that a client is gone;
    /// on Rocket, and in HTTP/2 on actix-web, it learns it in no other way.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_core::StreamOptions;
    ///
    /// let never = StreamOptions::new().keep_alive(Duration::MAX);
    /// let longest = StreamOptions::new().keep_alive(StreamOptions::MAX_KEEP_ALIVE);
    /// assert_eq!(format!("{never:?}"), format!("{longest:?}"));
    /// ```
    pub const MAX_KEEP_ALIVE: Duration = Duration::from_secs(3600);
    /// The shortest time between keep-alives: 1 ms.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_core::StreamOptions;
    ///
    /// let often = StreamOptions::new().keep_alive(Duration::from_nanos(1));
    /// let shortest = StreamOptions::new().keep_alive(StreamOptions::MIN_KEEP_ALIVE);
    /// assert_eq!(format!("{often:?}"), format!("{shortest:?}"));
    /// ```
    pub const MIN_KEEP_ALIVE: Duration = Duration::from_millis(1);

    /// Sets the time without an event after which the stream sends a comment.
    ///
    /// Default: 20 s. A time outside [`MIN_KEEP_ALIVE`](StreamOptions::MIN_KEEP_ALIVE) to
    /// [`MAX_KEEP_ALIVE`](StreamOptions::MAX_KEEP_ALIVE) is set to the nearer bound; zero, which elsewhere means never, to the longest.
    ///
    /// Keep it below the time after which a proxy cuts off a silent response. The comment also shows the server that a client is gone.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use std::time::Duration;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().keep_alive(Duration::from_secs(15));
    /// let mut body = StreamResponse::new(&request, feed, timer).body;
    /// assert!(body.next().await.unwrap()?.starts_with(b": ok\n"));
    /// assert_eq!(body.next().await.unwrap()?, ": keep-alive\n"); // 15 s later
    /// # Ok::<(), sse_core::Cut>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias("heartbeat", "ping", "keepalive", "interval"))]
    #[must_use]
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.keep_alive = match silence {
            Duration::ZERO => Self::MAX_KEEP_ALIVE,
            silence => silence.clamp(Self::MIN_KEEP_ALIVE, Self::MAX_KEEP_ALIVE),
        };
        self
    }

    /// Sends an event of this type, with empty data, instead of the comment that keeps the stream alive. Set it for a page that watches for
    /// silence, because scripts do not see comments.
    ///
    /// Do not set it for clients that do not look at types: they read it like any other event, and the AI SDK fails on the empty data. The
    /// SDKs of MCP ignore it.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use sse_core::{EventLog, EventType, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().keep_alive_event(EventType::from_static("alive"));
    /// let mut body = StreamResponse::new(&request, feed, timer).body;
    /// assert!(body.next().await.unwrap()?.starts_with(b": ok\n"));
    /// assert_eq!(body.next().await.unwrap()?, "event: alive\ndata: \n\n");
    /// # Ok::<(), sse_core::Cut>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn keep_alive_event(mut self, event_type: EventType) -> Self {
        self.keep_alive_event = Some(event_type);
        self
    }

    /// Sets the time around which clients wait before they reconnect. Each stream sends it at its start, multiplied by a random number from 0.5
    /// to 1.5 that is drawn for this stream, so that clients which are cut off together do not come back together.
    ///
    /// Default: 3 s, so each client waits 1.5 to 4.5 s. At most [`Event::MAX_RETRY`](crate::Event::MAX_RETRY).
    ///
    /// If an event has a [`retry`](crate::Event::retry) of its own, a client that got the event waits for that time. A stream that is shut down
    /// ends with a time that is drawn again.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().retry(Duration::from_secs(10));
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// let millis: u64 = text.strip_prefix(": ok\nretry: ").unwrap().trim_end().parse().unwrap();
    /// assert!((5000..=15_000).contains(&millis));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = Retry::around(retry);
        self
    }

    /// Sets the time that clients wait before they reconnect, the same for all: for a few clients, or for a test.
    ///
    /// At most [`Event::MAX_RETRY`](crate::Event::MAX_RETRY). A stream that is shut down still ends with 0.5 to 1.5 times this.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().retry_exactly(Duration::from_secs(1));
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert_eq!(text, ": ok\nretry: 1000\n");
    /// # }).unwrap();
    /// ```
    #[doc(alias = "reconnect")]
    #[must_use]
    pub fn retry_exactly(mut self, retry: Duration) -> Self {
        self.retry = Retry::exactly(retry);
        self
    }

    /// Sends no reconnection time at the start of a stream: each client waits for its own time, in browsers 3 to 5 s, or for that of the last
    /// event which had one. A stream that is shut down still ends with 1.5 to 4.5 s.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(Instant::now, |_| std::future::pending()));
    /// let feed = EventLog::in_memory(1000).feed().no_retry();
    /// assert_eq!(StreamResponse::new(&request, feed, timer).text().await, ": ok\n");
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn no_retry(mut self) -> Self {
        self.retry = Retry::unset();
        self
    }

    /// Sets the position at which the stream of a new client begins.
    ///
    /// Default: [`Start::Live`].
    ///
    /// The feed of a [`Source`](crate::Source) has no positions: it uses only [`Start::After`], and passes the id to `fetch`. The feed of a
    /// [`StreamContext`](crate::StreamContext) ignores this option.
    ///
    /// ```
    /// # use sse_core::{EventLog, Start, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// log.append("before the client came").await?;
    /// let feed = log.feed().start_at(Start::Oldest);
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: before the client came\n"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[doc(alias("from_start", "history"))]
    #[must_use]
    pub fn start_at(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Sends an event of this type first, if the stream begins live: its data is empty, and its id is the position in the log.
    ///
    /// Without it a client that is cut off before its first event has no id to send when it comes back. It then begins live again, and misses
    /// the events appended in between without being told. The feed of a [`merge`](crate::merge) sends it only on a first visit, if
    /// [`start_at`](StreamOptions::start_at) is live. The feed of a [`Source`](crate::Source) or a
    /// [`StreamContext`](crate::StreamContext) has no positions, and sends no such event.
    ///
    /// Do not set it for clients that do not look at types: they read it like any other event, and the AI SDK fails on the empty data. The
    /// SDKs of MCP ignore every type except `message`, and treat an event of that type with empty data as their priming event.
    ///
    /// ```
    /// # use sse_core::{EventLog, EventType, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let newest = log.append("before the client came").await?;
    /// let feed = log.feed().position_event(EventType::from_static("position"));
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.ends_with(&format!("event: position\ndata: \nid: {newest}\n\n")));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[must_use]
    pub fn position_event(mut self, event_type: EventType) -> Self {
        (self.position_event, self.tells_position) = (Some(event_type), true);
        self
    }

    /// Never sends the event that tells a client of [topics](crate::EventLog::topics) its position, nor that of
    /// [`position_event`](StreamOptions::position_event).
    ///
    /// Default: while events are appended that are not for the client, the keep-alive is an event of the type `position` (or that of
    /// [`position_event`](StreamOptions::position_event)), with empty data and the id of the client's position. Without it the client's last id
    /// grows old: when it comes back, the log may have dropped events after it, and the client is told of a gap though it has missed nothing.
    /// Turn it off for clients that fail on an event that they do not know, and let the log keep events for longer than they are quiet.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let (told, silent) = (log.topics(["user/7"])?, log.topics(["user/7"])?.no_position_event());
    /// assert_ne!(format!("{told:?}"), format!("{silent:?}"));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    #[must_use]
    pub fn no_position_event(mut self) -> Self {
        (self.position_event, self.tells_position) = (None, false);
        self
    }

    /// Returns the type of the event that tells a client of topics its position.
    pub(crate) fn quiet_event(&self) -> Option<EventType> {
        const POSITION: EventType = EventType::from_static("position");
        self.tells_position.then(|| self.position_event.clone().unwrap_or(POSITION))
    }

    /// Sets the action of the stream if its client cannot resume exactly where it was.
    ///
    /// Default: [`OnGap::Reset`].
    ///
    /// Choose [`OnGap::StartOver`] if [`start_at`](StreamOptions::start_at) keeps the history short, and [`OnGap::Stop`] for clients that do
    /// not look at the types of events.
    ///
    /// ```
    /// # use sse_core::{EventLog, OnGap, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let log = EventLog::in_memory(1000);
    /// let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"no-id"[..])]);
    /// let feed = log.feed().on_gap(OnGap::StartOver);
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("event: reset\n"));
    /// # }).unwrap();
    /// ```
    #[doc(alias = "missed")]
    #[must_use]
    pub fn on_gap(mut self, on_gap: OnGap) -> Self {
        self.on_gap = on_gap;
        self
    }

    /// Calls this closure with the error that ends a stream early: an error of a store, or an error or panic of the application's own
    /// [`Source`](crate::Source), snapshot or closure. Errors also go to `tracing`, as warnings.
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let seen = Arc::new(Mutex::new(None));
    /// let told = Arc::clone(&seen);
    /// let feed = StreamContext::run(|_| async { Err("no model".into()) });
    /// let feed = feed.on_error(move |error| *told.lock().unwrap() = Some(error.is_source()));
    /// StreamResponse::new(&request, feed, timer).text().await;
    /// assert_eq!(*seen.lock().unwrap(), Some(true));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.failure.on_error(on_error);
        self
    }

    /// Sends the event that this closure makes of an error, before the stream ends early. A client that cannot resume then knows that it does
    /// not have all events. Without it a stream that failed ends like one that is complete; `EventSource` reconnects after both. The event
    /// goes out without an id, so that a client that can resume still does.
    ///
    /// ```
    /// use sse_core::{Event, StreamContext};
    ///
    /// let feed = StreamContext::run(|answer| async move {
    ///     answer.send_event("The").await?;
    ///     Err("the model went away".into())
    /// });
    /// let feed = feed.error_event(|_| Event::typed("failed", "the answer is not whole"));
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
    /// On a `Cut` the framework discards all that it has not written. So the `Cut` waits until the framework has dropped every chunk, for at
    /// most 30 s, and then for 100 ms. Rocket and some proxies turn it into a clean end: only
    /// [`error_event`](StreamOptions::error_event) arrives everywhere.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let feed = StreamContext::run(|_| async { Err("no model".into()) });
    /// let response = StreamResponse::new(&request, feed.cut_on_error(), timer);
    /// let items: Vec<_> = response.body.map(|item| item.map(|_| ())).collect().await;
    /// assert!(items.last().unwrap().is_err());
    /// # });
    /// ```
    #[must_use]
    pub fn cut_on_error(mut self) -> Self {
        self.failure.cut();
        self
    }

    /// Ends each response once its client has the events that were there when it came, or, if there were none, the first events that come:
    /// so a client can poll. The response of a [`StreamContext`](crate::StreamContext) continues to its end, because its events cannot be
    /// fetched later.
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
    /// assert_eq!(body.collect::<Vec<_>>().await.len(), 2, "the first line, and one event");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn ends_when_caught_up(mut self) -> Self {
        self.polls = Polls::All;
        self
    }

    /// Ends the responses as [`ends_when_caught_up`](StreamOptions::ends_when_caught_up) does, but only to requests whose query has this
    /// parameter, with any value: `GET /events?poll`.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use sse_core::{EventLog, Start, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let log = EventLog::in_memory(1000);
    /// log.append("hello").await?;
    /// let feed = log.feed().start_at(Start::Oldest).poll_parameter("poll");
    /// let request = StreamRequest::new("GET", Some("poll"), []);
    /// let body = StreamResponse::new(&request, feed, timer).body;
    /// assert_eq!(body.collect::<Vec<_>>().await.len(), 2, "the first line, and one event");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[doc(alias = "long_polling")]
    #[must_use]
    pub fn poll_parameter(mut self, name: impl Into<String>) -> Self {
        self.polls = Polls::WithParameter(name.into());
        self
    }

    /// Sets the parameter of the query in which clients that cannot set headers send the last event ID.
    ///
    /// Default: `lastEventId`, which event-source-polyfill uses.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let log = EventLog::in_memory(1000);
    /// let ids = log.append_all(["one", "two"]).await?;
    /// let query = format!("after={}", ids[0]);
    /// let request = StreamRequest::new("GET", Some(&query), []);
    /// let feed = log.feed().last_event_id_parameter("after");
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: two\n") && !text.contains("data: one\n"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[must_use]
    pub fn last_event_id_parameter(mut self, name: impl Into<String>) -> Self {
        self.last_event_id_parameter = Cow::Owned(name.into());
        self
    }

    /// Adds a shutdown that ends the stream. The feed of a log already has the log's own, the feed of a merge those of its logs; other feeds
    /// have none. A feed can have several: the server's, and that of its session.
    ///
    /// ```
    /// # use sse_core::{Shutdown, StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let shutdown = Shutdown::new();
    /// let (context, feed) = StreamContext::channel();
    /// let response = StreamResponse::new(&request, feed.shutdown(&shutdown), timer);
    /// shutdown.begin();
    /// assert_eq!(response.text().await.matches("retry: ").count(), 2, "at the start and at the end");
    /// assert!(context.is_closed());
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn shutdown(mut self, shutdown: &Shutdown) -> Self {
        self.tie(shutdown);
        self
    }

    /// Sets the number of events of a [`Source`](crate::Source) that are kept for one client while it catches up.
    ///
    /// Default: 1024. At most 1 MiB in all.
    ///
    /// If more are published meanwhile, the response ends after the replay, and the client comes back for the rest.
    ///
    /// ```
    /// # use std::io::Result;
    /// # use sse_core::{source, Event, EventId, Feed, StreamRequest, StreamResponse, Timer};
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// # let fetch = |_: EventId| async { Ok(vec!["missed"]) };
    /// # let stream = || async { Ok(futures_util::stream::iter([Result::Ok("one"), Ok("two")])) };
    /// # let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"1"[..])]);
    /// // The source publishes "one" and "two" while the client catches up.
    /// let feed = Feed::from(source(fetch, stream)).buffered_events(1);
    /// # let response = StreamResponse::new(&request, feed, timer);
    /// # let text = futures_util::future::FutureExt::now_or_never(response.text()).unwrap();
    /// assert!(text.ends_with("data: missed\n\n"));
    /// ```
    #[must_use]
    pub fn buffered_events(mut self, events: usize) -> Self {
        self.limits.buffered = events;
        self
    }

    /// Sets the number of ids of a replay that are remembered for one client of a [`Source`](crate::Source).
    ///
    /// Default: 10 000, of 16 bytes each.
    ///
    /// The stream uses them so that it delivers no event a second time. After a longer replay the response ends, and the client comes back
    /// for the rest.
    ///
    /// ```
    /// # use sse_core::{source, Event, EventId, Feed, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # use std::io::Result;
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// # let fetch = |_: EventId| async { Ok((2..=3_u64).map(|n| Event::new("missed").id(EventId::from(n))).collect::<Vec<_>>()) };
    /// # let stream = || async { Ok(futures_util::stream::iter([Result::Ok(Event::new("live"))])) };
    /// # let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"1"[..])]);
    /// let feed = Feed::from(source(fetch, stream)).remembered_ids(1);
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.ends_with("data: missed\nid: 3\n\n"), "the response ends after the replay");
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn remembered_ids(mut self, ids: usize) -> Self {
        self.limits.remembered = ids;
        self
    }

    /// Sets the time for which the ids of a replay are remembered after its last event.
    ///
    /// Default: 60 s. [`Duration::MAX`] remembers them until the stream ends.
    ///
    /// Set it to at least the time within which the live half of a [`Source`](crate::Source) may still bring an event that was in the replay.
    ///
    /// ```
    /// # use std::{io::Result, time::Duration};
    /// # use futures_util::{FutureExt, StreamExt, stream};
    /// # use sse_core::{source, Event, EventId, Feed, StreamRequest, StreamResponse, Timer};
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// # let event = || Event::new("paid").id(EventId::from(2));
    /// # let fetch = move |_: EventId| async move { Ok(vec![event()]) };
    /// # let stream = move || async move { Ok(stream::iter([Result::Ok(event())])) };
    /// # let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"1"[..])]);
    /// // The source publishes the replayed event once more.
    /// let feed = Feed::from(source(fetch, stream)).late_notifications(Duration::from_secs(5)).no_retry();
    /// let body = StreamResponse::new(&request, feed, timer).body;
    /// # let body = body.map(|chunk| chunk.unwrap()).collect::<Vec<_>>().now_or_never().unwrap();
    /// assert_eq!(body.concat(), b": ok\ndata: paid\nid: 2\n\n");
    /// ```
    #[must_use]
    pub fn late_notifications(mut self, late: Duration) -> Self {
        self.limits.late = late;
        self
    }

    /// Sets the observer, which is told of each stream. To share one, pass it as an `Arc`. It takes the place of the log's observer: to have both
    /// told, pass a pair of observers.
    ///
    /// Default: the observer of the log, if it has one ([`EventLog::observe`](crate::EventLog::observe)).
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// # use std::sync::Arc;
    /// # use sse_core::{EventLog, Observer, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// #[derive(Default)]
    /// struct Opened(AtomicUsize);
    /// impl Observer for Opened {
    ///     fn opened(&self) {
    ///         self.0.fetch_add(1, Relaxed);
    ///     }
    /// }
    /// let opened = Arc::new(Opened::default());
    /// let feed = EventLog::in_memory(1000).feed().observer(opened.clone());
    /// StreamResponse::new(&request, feed, timer).text().await;
    /// assert_eq!(opened.0.load(Relaxed), 1);
    /// # }).unwrap();
    /// ```
    #[doc(alias("on_connect", "on_disconnect", "metrics"))]
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Observing::new(observer));
        self
    }

    /// Sets the limits on open streams. A stream over a limit gets its first lines, a time after which it may come back, and the end:
    /// [`Limits`] says more.
    ///
    /// Default: none.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let limits = Limits::new().process(20_000);
    /// let feed = EventLog::in_memory(1000).feed().limits(&limits);
    /// let open = StreamResponse::new(&request, feed, timer);
    /// assert_eq!((open.status, limits.open_streams()), (200, 1));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.stream_limits = Some(limits.clone());
        self
    }

    /// Sets the principal whose streams [`Limits::each_principal`] counts: a key that your application chooses, such as the user of the session.
    /// Never take it from what a client can choose.
    ///
    /// Default: none, and then that limit does not apply.
    ///
    /// ```
    /// # use sse_core::{EventLog, Limits, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let limits = Limits::new().each_principal(6);
    /// let feed = EventLog::in_memory(1000).feed().limits(&limits).principal("user/7");
    /// let open = StreamResponse::new(&request, feed, timer);
    /// assert_eq!(limits.open_streams_of("user/7"), 1);
    /// # drop(open);
    /// ```
    #[must_use]
    pub fn principal(mut self, key: impl Into<String>) -> Self {
        self.principal = Some(key.into().into());
        self
    }

    /// Ends each stream after 0.8 to 1 times this, drawn for each, as a shutdown does: the client comes back and resumes. So access is checked
    /// again, and the load spreads over the processes.
    ///
    /// Default: none.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use std::time::Duration;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().longest_life(Duration::from_secs(10));
    /// let lines = StreamResponse::new(&request, feed, timer).body.collect::<Vec<_>>().await;
    /// assert!(lines[1].as_ref().unwrap().starts_with(b"retry: ")); // 8 to 10 s later
    /// # });
    /// ```
    #[must_use]
    pub fn longest_life(mut self, life: Duration) -> Self {
        self.longest_life = Some(life);
        self
    }

    /// Sends an event of this type as the last one of a stream that the server ends: at a shutdown, at the end of its longest life, or since a
    /// limit was met. Its data is JSON, `{"retry":2718}`: the milliseconds after which the client may come back. It has no id.
    ///
    /// Set it for clients that take a clean end for the last word, such as `fetch-event-source`, and have their page come back at this event. If
    /// you cannot change the page, set [`cut_on_goodbye`](StreamOptions::cut_on_goodbye).
    ///
    /// Default: none; the stream ends with a `retry:` line.
    ///
    /// ```
    /// # use sse_core::{EventLog, EventType, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let feed = log.feed().goodbye_event(EventType::from_static("goodbye"));
    /// let response = StreamResponse::new(&request, feed, timer);
    /// log.shutdown().begin();
    /// assert!(response.text().await.contains("event: goodbye\nretry: "));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn goodbye_event(mut self, event_type: EventType) -> Self {
        self.goodbye_event = Some(event_type);
        self
    }

    /// Breaks the response off after its goodbye, instead of ending it: at a shutdown, at the end of its longest life, or since a limit was met.
    /// For clients that take a clean end for the last word and come back from an error, such as `fetch-event-source` and Datastar.
    ///
    /// The body ends like that of [`cut_on_error`](StreamOptions::cut_on_error), and Rocket and some proxies turn it into a clean end in the same
    /// way. The lines of the goodbye, and [its event](StreamOptions::goodbye_event) if one is set, arrive first. The response of a client that
    /// [polls](StreamOptions::ends_when_caught_up) ends cleanly; so does the stream of a log that is finished.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let log = EventLog::in_memory(1000);
    /// let response = StreamResponse::new(&request, log.feed().cut_on_goodbye(), timer);
    /// log.shutdown().begin();
    /// let items: Vec<_> = response.body.map(|item| item.map(|_| ())).collect().await;
    /// assert!(items.last().unwrap().is_err());
    /// # });
    /// ```
    #[must_use]
    pub fn cut_on_goodbye(mut self) -> Self {
        self.cuts_on_goodbye = true;
        self
    }

    /// Ends the stream at the end of the window if a shutdown [drains](Shutdown::drain), in place of a random moment of it: for a stream that
    /// cannot resume, such as that of a [`StreamContext`](crate::StreamContext), so that it may finish first.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sse_core::{Shutdown, StreamContext, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let shutdown = Shutdown::new();
    /// let feed = StreamContext::run(|context| async move {
    ///     tokio::time::sleep(Duration::from_secs(15)).await;
    ///     context.send_event("done").await?;
    ///     Ok(())
    /// });
    /// let feed = feed.shutdown(&shutdown).finish_first();
    /// let response = StreamResponse::new(&request, feed, timer);
    /// shutdown.drain(Duration::from_secs(20));
    /// assert!(response.text().await.ends_with("data: done\n\n"));
    /// # });
    /// ```
    #[must_use]
    pub fn finish_first(mut self) -> Self {
        self.finishes_first = true;
        self
    }

    /// Sets the status of a first visit to a finished log for which there is nothing: it would begin live, or the log is empty. With 200 the response has
    /// its first lines and ends: for clients that take a 204 for an error. Another status has no body.
    ///
    /// Default: 204, after which a browser does not come back. After a 200 an `EventSource` does come back, again and again, since it has no id.
    /// A first visit that begins with events gets them, then the end, with status 200 in any case; once it has the last id, the status is 204.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let request = StreamRequest::new("GET", None, []);
    /// # let timer = || Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let log = EventLog::in_memory(1000);
    /// log.finish().await?;
    /// assert_eq!(StreamResponse::new(&request, &log, timer()).status, 204);
    /// assert_eq!(StreamResponse::new(&request, log.feed().finished_first_visit(200), timer()).status, 200);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[must_use]
    pub fn finished_first_visit(mut self, status: u16) -> Self {
        self.finished_first_visit = if (200..=599).contains(&status) { status } else { 204 };
        self
    }

    /// Adds a shutdown once, so that it counts a stream once, however often it is added.
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

/// Implements the methods of `StreamOptions` for a feed. Takes an expression that makes such a feed, for the examples.
macro_rules! options {
    ($feed:literal) => {
        options! { $feed;
            keep_alive(silence: Duration) "Duration::from_secs(15)";
            keep_alive_event(event_type: EventType) "EventType::from_static(\"alive\")";
            retry(retry: Duration) "Duration::from_secs(1)";
            retry_exactly(retry: Duration) "Duration::from_secs(1)";
            no_retry() "";
            start_at(start: Start) "Start::Oldest";
            position_event(event_type: EventType) "EventType::from_static(\"position\")";
            no_position_event() "";
            on_gap(on_gap: OnGap) "OnGap::Live";
            on_error(on_error: impl Fn(&Error) + Send + Sync + 'static) "|error| eprintln!(\"{error}\")";
            error_event(event: impl Fn(&Error) -> Event + Send + Sync + 'static) "|_| Event::typed(\"failed\", \"\")";
            cut_on_error() "";
            ends_when_caught_up() "";
            poll_parameter(name: impl Into<String>) "\"poll\"";
            last_event_id_parameter(name: impl Into<String>) "\"after\"";
            shutdown(shutdown: &Shutdown) "&Shutdown::new()";
            buffered_events(events: usize) "4096";
            remembered_ids(ids: usize) "100_000";
            late_notifications(late: Duration) "Duration::from_secs(5)";
            observer(observer: impl Observer) "Metrics::default()";
            limits(limits: &Limits) "&Limits::new()";
            principal(key: impl Into<String>) "\"user/7\"";
            longest_life(life: Duration) "Duration::from_secs(600)";
            goodbye_event(event_type: EventType) "EventType::from_static(\"goodbye\")";
            cut_on_goodbye() "";
            finish_first() "";
            finished_first_visit(status: u16) "200";
        }
    };
    ($feed:literal; $($name:ident($($argument:ident: $type:ty)?) $example:literal;)*) => {
        /// Replaces all options of the feed with these. The shutdown of its log, or of the logs of a merge, still ends its streams.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use sse_core::{EventLog, StreamContext};
        /// use sse_core::StreamOptions;
        ///
        /// let options = StreamOptions::new().retry(Duration::from_secs(1));
        #[doc = concat!("let feed = ", $feed, ".with(&options);")]
        /// assert!(format!("{feed:?}").contains("retry: around 1s"));
        /// ```
        #[must_use]
        pub fn with(mut self, options: &StreamOptions) -> Self {
            self.options.chosen = Some(Box::new(options.clone()));
            self
        }

        $(
            #[doc = concat!("Sets [`StreamOptions::", stringify!($name), "`].")]
            ///
            /// ```
            /// # use std::time::Duration;
            /// # use sse_core::{Event, EventLog, EventType, Limits, Observer, OnGap, Shutdown, Start, StreamContext, StreamOptions};
            /// # #[derive(Default)]
            /// # struct Metrics;
            /// # impl Observer for Metrics {}
            #[doc = concat!("let feed = ", $feed, ".", stringify!($name), "(", $example, ");")]
            ///
            #[doc = concat!("let options = StreamOptions::new().", stringify!($name), "(", $example, ");")]
            #[doc = concat!("let same = ", $feed, ".with(&options);")]
            /// assert_eq!(format!("{feed:?}"), format!("{same:?}"));
            /// ```
            #[must_use]
            pub fn $name(mut self $(, $argument: $type)?) -> Self {
                let options = self.options.chosen.get_or_insert_default();
                **options = std::mem::take(&mut **options).$name($($argument)?);
                self
            }
        )*
    };
}
