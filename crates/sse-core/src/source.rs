use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::{StreamExt, stream};

use crate::{BoxError, EventId, Frame};

mod feed;
mod frames;
pub use feed::StreamItem;
pub use frames::Frames;

/// An application's own store of events, with ids of its own.
///
/// A client gets the events of `fetch` and then those of `stream`: each event once, in order, whatever happens while the two are joined. If
/// the application has no store of its own, use an [`EventLog`](crate::EventLog).
///
/// Implement it with [`#[async_trait]`](macro@crate::async_trait), as in the example, or make it of two closures with [`source`](fn@source).
/// A [`Shutdown`](crate::Shutdown) ends its streams only if the feed has one: [`Feed::shutdown`](crate::Feed::shutdown).
///
/// # Contract of an implementation
///
/// - `stream` is subscribed once it has returned: it yields every event published from then on. Dropping it unsubscribes.
/// - `fetch` returns all events after the event with this id, oldest first, or [`Replay::Gap`] if it cannot. The library calls it only
///   once `stream` has returned, and only for a client that sends a last event ID.
/// - Ids are unique. Live events come in the order in which `fetch` returns them, and are never older than the client's last
///   event ID. If that does not hold, events may be delivered more than once, never less.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use futures_util::stream;
/// use sse_core::{async_trait, BoxError, Event, EventId, Frames, Replay, Source};
/// use tokio::sync::broadcast;
///
/// /// Numbers 1, 2, 3 and so on, all of them kept.
/// struct Numbers {
///     published: Mutex<u64>,
///     live: broadcast::Sender<u64>,
/// }
///
/// fn event(number: u64) -> Event {
///     Event::new(format!("number {number}")).id(EventId::from(number))
/// }
///
/// #[async_trait]
/// impl Source for Numbers {
///     async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
///         let newest = *self.published.lock().unwrap();
///         Ok(match last_event_id.as_str().parse::<u64>() {
///             Ok(last) if last <= newest => Replay::from_iter((last + 1..=newest).map(event)),
///             _ => Replay::Gap,
///         })
///     }
///
///     async fn stream(&self) -> Result<Frames, BoxError> {
///         let receiver = self.live.subscribe();
///         // A receiver that is too slow loses events: its error ends the response, and the client comes back and fetches them.
///         Ok(Frames::new(stream::unfold(receiver, |mut receiver| async move {
///             Some((receiver.recv().await.map(event), receiver))
///         })))
///     }
/// }
/// # let numbers = Numbers { published: Mutex::new(3), live: broadcast::channel(16).0 };
/// # let replay = futures_util::future::FutureExt::now_or_never(numbers.fetch(&"1".parse().unwrap())).unwrap().unwrap();
/// # assert!(matches!(replay, Replay::Events(_)));
/// ```
#[diagnostic::on_unimplemented(
    message = "events cannot be streamed from `{Self}`",
    label = "neither an `EventLog`, nor a `Feed`, nor a `Source`",
    note = "from a framework's `State` or `Data`, pass the value inside: `state.0`, `state.inner()`, `data.get_ref()`, `data.into_inner()`"
)]
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Returns the events that a client has missed since the event with this id.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the client leaves: implement it cancel safe.
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError>;

    /// Returns the live events, from now on.
    ///
    /// # Cancel safety
    ///
    /// The future and the frames are dropped when the client leaves: implement them cancel safe.
    async fn stream(&self) -> Result<Frames, BoxError>;
}

/// The events that a client has missed.
///
/// ```
/// use sse_core::Replay;
///
/// assert!(matches!(Replay::from(vec!["one", "two"]), Replay::Events(_)));
/// ```
#[non_exhaustive]
pub enum Replay {
    /// These events, oldest first; there may be none.
    Events(Frames),
    /// The missed events cannot be found: the id is unknown, or too old.
    Gap,
}

impl<T: Into<Frame>> FromIterator<T> for Replay {
    fn from_iter<I: IntoIterator<Item = T>>(events: I) -> Self {
        let frames: Vec<Frame> = events.into_iter().map(Into::into).collect();
        Self::Events(Frames::new(stream::iter(frames).map(Ok::<_, BoxError>)))
    }
}

/// Replays events that come one by one, as from a query.
impl From<Frames> for Replay {
    fn from(events: Frames) -> Self {
        Self::Events(events)
    }
}

impl<T: Into<Frame>> From<Vec<T>> for Replay {
    fn from(events: Vec<T>) -> Self {
        Self::from_iter(events)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Events(_) => "Events",
            Self::Gap => "Gap",
        })
    }
}

/// Makes a [`Source`] of two closures: `fetch` returns the events that a client has missed since an id, `stream` the events from now on.
///
/// ```
/// use futures_util::stream;
/// use sse_core::{source, Event, EventId, Feed};
///
/// # async fn events_after(_: &str) -> std::io::Result<Vec<Event>> { Ok(vec![Event::new("while you were away").id(EventId::from(8))]) }
/// # let subscribe = || stream::iter(vec![Ok::<_, std::io::Error>(Event::new("now").id(EventId::from(9)))]);
/// let missed = |since: EventId| async move { Ok(events_after(since.as_str()).await?) };
/// let live = move || {
///     let subscribed = subscribe();
///     async { Ok(subscribed) }
/// };
/// let feed = Feed::from(source(missed, live));
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
/// # let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"7"[..])]);
/// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
/// # let response = StreamResponse::new(&request, feed, timer);
/// # let text = futures_util::future::FutureExt::now_or_never(response.text()).unwrap();
/// assert!(text.contains("data: while you were away\nid: 8\n"));
/// ```
///
/// Build the source in the handler, so that its closures capture the request's user and parameters. Both return a [`BoxError`], which `?`
/// makes of any error; an error among the events may be of any type.
pub fn source<F, FF, R, S, SF, L, T, E>(fetch: F, stream: S) -> impl Source
where
    F: Fn(EventId) -> FF + Send + Sync + 'static,
    FF: Future<Output = Result<R, BoxError>> + Send,
    R: Into<Replay>,
    S: Fn() -> SF + Send + Sync + 'static,
    SF: Future<Output = Result<L, BoxError>> + Send,
    L: Stream<Item = Result<T, E>> + Send + 'static,
    T: Into<Frame> + 'static,
    E: Into<BoxError> + 'static,
{
    Closures { fetch, stream }
}

struct Closures<F, S> {
    fetch: F,
    stream: S,
}

#[async_trait]
impl<F, FF, R, S, SF, L, T, E> Source for Closures<F, S>
where
    F: Fn(EventId) -> FF + Send + Sync + 'static,
    FF: Future<Output = Result<R, BoxError>> + Send,
    R: Into<Replay>,
    S: Fn() -> SF + Send + Sync + 'static,
    SF: Future<Output = Result<L, BoxError>> + Send,
    L: Stream<Item = Result<T, E>> + Send + 'static,
    T: Into<Frame> + 'static,
    E: Into<BoxError> + 'static,
{
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        (self.fetch)(last_event_id.clone()).await.map(Into::into)
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        (self.stream)().await.map(Frames::new)
    }
}

#[async_trait]
impl<S: Source + ?Sized> Source for Arc<S> {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        (**self).fetch(last_event_id).await
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        (**self).stream().await
    }
}
