//! The origin of the events of a stream, and its options.

pub(crate) mod events;
pub(crate) mod failure;
mod gap;
#[macro_use]
pub(crate) mod options;
mod polls;
pub(crate) mod retry;
mod seldom;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::feed::options::StreamOptions;
use crate::log::Selection;
use crate::observer::{Observer, Observing};
use crate::stream_context::Receiver;
use crate::{BoxError, Error, Event, EventLog, EventType, Limits, OnGap, Shutdown, Source, Start};

/// The origin of the events of clients, and the [`StreamOptions`] of their streams. Make it once, at start, and clone it for each request.
///
/// An [`EventLog`](crate::EventLog), a [`merge`](crate::merge) of several logs and a [`Source`](crate::Source) each make a feed, and each
/// converts into a feed by itself. A [`StreamContext`](crate::StreamContext) makes a [`FeedOnce`], which serves one client.
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
/// let for_another_client = feed.clone();
/// assert_eq!(format!("{feed:?}"), format!("{for_another_client:?}"));
/// ```
#[derive(Clone)]
pub struct Feed {
    pub(crate) origin: Origin,
    options: Options,
}

/// A feed for one client: a [`StreamContext`](crate::StreamContext) makes one, and every [`Feed`] converts into one. It has the same options.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{FeedOnce, StreamContext};
///
/// let (context, feed): (StreamContext, FeedOnce) = StreamContext::channel();
/// let feed = feed.retry(Duration::from_secs(1));
/// assert!(!context.is_closed());
/// # drop(feed);
/// ```
pub struct FeedOnce {
    /// The error if the feed could not be made.
    origin: Result<OriginOnce, Error>,
    options: Options,
}

#[derive(Clone)]
pub(crate) enum Origin {
    Log(Selection),
    /// The logs, each with its name.
    Merge(Arc<[(Arc<str>, Selection)]>),
    Source(Arc<dyn Source>),
}

pub(crate) enum OriginOnce {
    Many(Origin),
    Context(Receiver, Option<Closure>),
}

/// The closure of a stream, as it runs.
pub(crate) type Closure = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// The options that were set on a feed.
#[derive(Clone)]
struct Options {
    /// The shutdowns of its logs.
    own: Vec<Shutdown>,
    /// `None` if no option was set.
    chosen: Option<Box<StreamOptions>>,
}

impl Feed {
    options!("EventLog::in_memory(1000).feed()");

    /// Returns true if an option was set.
    pub(crate) fn has_options(&self) -> bool {
        self.options.chosen.is_some()
    }

    pub(crate) fn of_origin(origin: Origin, shutdowns: Vec<Shutdown>) -> Self {
        Self { origin, options: Options { own: shutdowns, chosen: None } }
    }
}

impl FeedOnce {
    options!("StreamContext::channel().1");

    pub(crate) fn of_context(receiver: Receiver, closure: Option<Closure>) -> Self {
        let options = Options { own: Vec::new(), chosen: None };
        Self { origin: Ok(OriginOnce::Context(receiver, closure)), options }
    }

    /// Returns the options that were set, if any.
    pub(crate) fn chosen(&self) -> Option<&StreamOptions> {
        self.options.chosen.as_deref()
    }

    /// Returns the origin of the events; `None` if the feed could not be made.
    pub(crate) fn origin(&self) -> Option<&OriginOnce> {
        self.origin.as_ref().ok()
    }

    /// Returns the origin of the events, or the error if a stream of it cannot begin as the options say; and the options, with every shutdown that
    /// ends the stream.
    pub(crate) fn into_parts(self) -> (Result<OriginOnce, Error>, StreamOptions) {
        let Options { own, chosen } = self.options;
        let mut options = chosen.map_or_else(StreamOptions::new, |chosen| *chosen);
        own.iter().for_each(|shutdown| options.tie(shutdown));
        if let Ok(origin) = &self.origin {
            options.observer = options.observer.or_else(|| origin.observer());
        }
        let origin = self.origin.and_then(|origin| origin.check(&options.start).map(|()| origin));
        (origin, options)
    }
}

/// Makes the feed of a `Result`, so that a handler can pass what may fail to `stream_events`: `stream_events(request, log.topics([room]))`.
///
/// An error that will pass, such as that of a store, is a response of status 200 that ends with a reconnection time, because `EventSource`
/// stops for good after another status; the error is logged as a warning, and the client comes back. Any other error is a response with
/// its [`status`](Error::status).
///
/// ```
/// use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
///
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
/// let log = EventLog::in_memory(1000);
/// let response = StreamResponse::new(&request, log.topics([""]), timer);
/// assert_eq!(response.status, 422);
/// ```
impl<F: Into<Feed>> From<Result<F, Error>> for FeedOnce {
    fn from(feed: Result<F, Error>) -> Self {
        match feed {
            Ok(feed) => feed.into().into(),
            Err(error) => {
                let options = Options { own: Vec::new(), chosen: None };
                Self { origin: Err(error), options }
            }
        }
    }
}

impl<F: Into<Feed>> From<F> for FeedOnce {
    fn from(feed: F) -> Self {
        let Feed { origin, options } = feed.into();
        Self { origin: Ok(OriginOnce::Many(origin)), options }
    }
}

impl From<&EventLog> for Feed {
    fn from(log: &EventLog) -> Self {
        let selection = Selection { log: log.clone(), topics: None };
        Self::of_origin(Origin::Log(selection), vec![log.shutdown().clone()])
    }
}

impl From<EventLog> for Feed {
    fn from(log: EventLog) -> Self {
        Self::from(&log)
    }
}

impl<S: Source> From<S> for Feed {
    fn from(source: S) -> Self {
        Self::of_origin(Origin::Source(Arc::new(source)), Vec::new())
    }
}

impl From<&Feed> for Feed {
    fn from(feed: &Feed) -> Self {
        feed.clone()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.name();
        f.debug_struct("Feed")
            .field("origin", &origin)
            .field("options", &self.options.chosen)
            .finish()
    }
}

impl fmt::Debug for FeedOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match &self.origin {
            Ok(OriginOnce::Many(origin)) => origin.name(),
            Ok(OriginOnce::Context(..)) => "context",
            Err(_) => "error",
        };
        f.debug_struct("FeedOnce")
            .field("origin", &origin)
            .field("options", &self.options.chosen)
            .finish()
    }
}

impl OriginOnce {
    /// Fails if a stream cannot begin at this start.
    fn check(&self, start: &Start) -> Result<(), Error> {
        match (start, self) {
            (Start::Since(_), Self::Many(Origin::Log(selection))) => selection.log.check_times(),
            (Start::Since(_), Self::Many(Origin::Merge(logs))) => {
                logs.iter().try_for_each(|(_, selection)| selection.log.check_times())
            }
            _ => Ok(()),
        }
    }

    /// Returns the observer of the log, or of the first log of a merge that has one.
    fn observer(&self) -> Option<Observing> {
        match self {
            Self::Many(Origin::Log(selection)) => selection.log.observer().cloned(),
            Self::Many(Origin::Merge(logs)) => {
                logs.iter().find_map(|(_, selection)| selection.log.observer().cloned())
            }
            Self::Many(Origin::Source(_)) | Self::Context(..) => None,
        }
    }
}

impl Origin {
    fn name(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Merge(_) => "merge",
            Self::Source(_) => "source",
        }
    }
}
