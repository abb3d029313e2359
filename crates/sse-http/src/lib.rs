//! Resumable server-sent events for hyper 1, tower services, salvo, poem and any other user of the types of the crate [`http`].
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live ones:
//!
//! ```
//! use http::{Request, Response};
//! use sse_http::{Event, EventLog, EventStreamBody, stream_events};
//!
//! fn events<B>(log: &EventLog, request: &Request<B>) -> Response<EventStreamBody> {
//!     stream_events(request, log).into()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = EventLog::in_memory(1000);
//! let seen = log.append(Event::new("hello")).await?;
//! let request = Request::get("/events").header("last-event-id", seen.as_str()).body(())?;
//! let response = events(&log, &request);
//! assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
//! # Ok(())
//! # }
//! ```
//!
//! In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! http = "1"
//! sse-http = "0.1"
//! ```
//!
//! Serve it with [`listener`](fn@listener), which cuts off clients that stall, and with the shutdown of the log, which ends the streams.
//! With hyper alone:
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::pin::pin;
//!
//! use hyper::{server::conn::http1, service::service_fn};
//! use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
//! # use http::{Request, Response};
//! # use sse_http::{EventLog, EventStreamBody, listener, stream_events};
//! # fn events<B>(log: &EventLog, request: &Request<B>) -> Response<EventStreamBody> { stream_events(request, log).into() }
//!
//! # async fn serve(log: EventLog) -> std::io::Result<()> {
//! let (listener, connections) = (listener("127.0.0.1:3000")?, GracefulShutdown::new());
//! let mut stop = pin!(log.shutdown().begin_after(tokio::signal::ctrl_c()));
//! loop {
//!     let socket = tokio::select! {
//!         accepted = listener.accept() => match accepted {
//!             Ok((socket, _)) => socket,
//!             Err(_) => { // the client has left already, or the process has too many files open
//!                 tokio::time::sleep(std::time::Duration::from_millis(100)).await;
//!                 continue;
//!             }
//!         },
//!         () = &mut stop => break,
//!     };
//!     let log = log.clone();
//!     let service = service_fn(move |request| {
//!         std::future::ready(Ok::<_, Infallible>(events(&log, &request)))
//!     });
//!     let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
//!     tokio::spawn(connections.watch(connection));
//! }
//! connections.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! If a framework has a request of its own, as salvo and poem have, give [`SseRequest::new`] its method, URI and headers. The response becomes
//! poem's by `into`, and salvo's after `map(|body| ResBody::stream(body.0))`.
//!
//! # Layout
//!
//! - [`EventLog`]: append an [`Event`], and every client gets it. Begin with [`EventLog::in_memory`]; [`EventLog::topics`] streams to one user or
//!   one room, and [`EventLog::stats`] counts the open streams.
//! - [`Feed`]: the options of a stream, such as [`Feed::start_at`], [`Feed::retry`] and [`Feed::on_gap`]. [`Feed::from_stream`] makes one of
//!   an `impl Stream`, [`StreamContext::run`] one of a closure that sends, and [`merge`] one of several logs.
//! - [`SseError`]: the error of a handler. `?` makes it of an [`Error`], and it answers its [`status`](Error::status).
//! - [`Shutdown`]: ends the streams, so that the server can end.
//! - [`store`], [`Source`]: a store and a source of your own. The crates [`sse-log-redb`](https://docs.rs/sse-log-redb),
//!   [`sse-log-redis`](https://docs.rs/sse-log-redis), [`sse-log-nats`](https://docs.rs/sse-log-nats) and
//!   [`sse-log-postgres`](https://docs.rs/sse-log-postgres) keep logs in a file and in servers.
//!
//! The examples of most items say `sse_core`: this crate re-exports it, so write `sse_http` in its place.
//!
//! All items except [`SseRequest`], [`Sse`], [`EventStreamBody`], [`SseError`] and [`stream_events`] are those of [`sse_core`], and the same with every framework.
//! hyper notices at once that a client has left, and answers HEAD, HTTP/1.0 and HTTP/2 as it should. If you serve with something else, check
//! the questions of `docs/writing-an-adapter.md` in the repository.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too, as `docs/deploying.md` in the repository shows.
#![forbid(unsafe_code)]
// Longer than other files: more than half of it is the front page and the examples.

mod error;
#[cfg(feature = "listener")]
mod listener;

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, request::Parts};
use http_body::{Body, Frame as BodyFrame};
#[cfg(feature = "listener")]
pub use sse_core::ListenerOptions;
#[cfg(feature = "metrics")]
pub use sse_core::Metrics;
pub use sse_core::{
    BoxError, Closed, Cut, Delivered, End, Ended, Epoch, Error, Event, EventId, EventLog,
    EventStream, EventType, Feed, FeedOnce, Followed, Follower, FollowerState, Following, Frame,
    Frames, Gap, GapReason, Headers, InvalidField, InvalidTopic, LastEventId, Limit, Limits,
    LogOptions, LogStats, MakeSnapshot, NewEvent, Observer, OnGap, Position, Receipt, Replay,
    Shutdown, Snapshot, SnapshotRequest, Source, Start, StoreOptions, StreamContext, StreamItem,
    StreamOptions, StreamRequest, StreamResponse, Timer, Topic, TopicSet, TopicStats, async_trait,
    copy, merge, source, store,
};
use tokio::runtime::Handle;
use tokio::time::Instant;

pub use error::SseError;
#[cfg(feature = "listener")]
pub use listener::{listener, listener_with};

/// The request of a client. Made from a request, or from its parts.
///
/// ```
/// use sse_http::SseRequest;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = http::Request::get("/events?lastEventId=7").body(())?;
/// let request = SseRequest::from(&request);
/// assert_eq!(format!("{:?}", request.0.last_event_id("lastEventId")), "Id(\"7\")");
/// # Ok(())
/// # }
/// ```
#[doc(alias("header", "headers", "query"))]
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream. It becomes a [`Response`].
///
/// ```
/// use http::{HeaderValue, Response};
/// use sse_http::{EventLog, EventStreamBody, Sse, SseRequest, StreamRequest, stream_events};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = SseRequest(StreamRequest::new("GET", None, []));
/// let sse: Sse = stream_events(request, EventLog::in_memory(1000));
/// assert_eq!(sse.0.status, 200);
/// let mut response: Response<EventStreamBody> = sse.into();
/// response.headers_mut().insert("x-user", HeaderValue::from_static("7"));
/// # Ok(())
/// # }
/// ```
#[doc(alias("header", "headers", "status", "with_header"))]
#[derive(Debug)]
#[must_use = "the stream is sent by returning the response that it becomes"]
pub struct Sse(pub StreamResponse);

/// An [`EventStream`] as the body of a response.
///
/// Every frame is data, and never empty; there are no trailers. The only error is a [`Cut`]. The body never states a length, so that the answer to
/// a HEAD, whose body has ended already, has no `content-length: 0`.
#[derive(Debug)]
#[must_use = "the stream is sent by returning it in a response"]
pub struct EventStreamBody(pub EventStream);

/// Returns the response to a request: a stream of this feed, first what the client missed since its last event ID, then live events.
///
/// Poll its body within a tokio runtime.
///
/// The feed may be a log, a [`Feed`], or a `Result` of one, as [`EventLog::topics`] returns it. An error that will pass is a stream that ends, so
/// that the client comes back; any other has its [status](Error::status). The request may be a POST, whose answer is then the stream:
///
/// ```
/// use sse_http::{Sse, SseRequest, StreamContext, stream_events};
/// # use sse_http::StreamRequest;
///
/// fn chat(request: SseRequest, question: String) -> Sse {
///     stream_events(request, StreamContext::run(|context| async move {
///         for word in question.split(' ') {
///             context.send_event(word).await?;
///         }
///         Ok(())
///     }))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let request = SseRequest(StreamRequest::new("POST", None, []));
/// let text = chat(request, "how many".to_owned()).0.text().await;
/// assert!(text.ends_with("data: how\n\ndata: many\n\n"));
/// # }
/// ```
#[doc(alias("new", "respond", "response", "subscribe"))]
pub fn stream_events(request: impl Into<SseRequest>, feed: impl Into<FeedOnce>) -> Sse {
    Sse(StreamResponse::new(&request.into().0, feed, timer()))
}

/// Returns the response to a request, like [`stream_events`], but asks the store first whether the client can resume, if only the store knows:
/// so that [`OnGap::Status`] has its status at once. It waits for [`StoreOptions::store_timeout`] at most.
pub async fn stream_events_resolved(
    request: impl Into<SseRequest>,
    feed: impl Into<FeedOnce>,
) -> Sse {
    let request = request.into();
    Sse(StreamResponse::resolved(&request.0, feed, timer()).await)
}

/// Returns the one timer of all streams, which shares alarms within each runtime.
fn timer() -> Timer {
    static TIMER: LazyLock<Timer> = LazyLock::new(|| {
        Timer::new(|| Instant::now().into_std(), tokio::time::sleep).shared_within(
            || Handle::try_current().ok().map(|runtime| runtime.id()),
            |keeping| drop(tokio::spawn(keeping)),
        )
    });
    TIMER.clone()
}

impl SseRequest {
    /// Reads the request of a framework that has a type of its own for it.
    pub fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Self(StreamRequest::new(method.as_str(), uri.query(), headers))
    }
}

impl<B> From<&Request<B>> for SseRequest {
    fn from(request: &Request<B>) -> Self {
        Self::new(request.method(), request.uri(), request.headers())
    }
}

impl From<&Parts> for SseRequest {
    fn from(parts: &Parts) -> Self {
        Self::new(&parts.method, &parts.uri, &parts.headers)
    }
}

impl From<Sse> for Response<EventStreamBody> {
    fn from(sse: Sse) -> Self {
        let StreamResponse { status, headers, body, .. } = sse.0;
        let mut response = Response::new(EventStreamBody(body));
        *response.status_mut() =
            StatusCode::from_u16(status).expect("the core's statuses are valid");
        for (name, value) in headers.iter() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Body for EventStreamBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, Cut>>> {
        Pin::new(&mut self.0).poll_next(cx).map_ok(BodyFrame::data)
    }
}
