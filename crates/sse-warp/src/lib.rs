//! Resumable server-sent events for warp.
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live ones:
//!
//! ```
//! use sse_warp::{Event, EventLog, Sse, SseRequest, sse_request, stream_events};
//! use warp::Filter;
//!
//! fn events(log: &EventLog, request: SseRequest) -> Sse {
//!     stream_events(request, log)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sse_warp::Error> {
//! let log = EventLog::in_memory(1000);
//! let streamed = log.clone();
//! let events = move |request| events(&streamed, request);
//! let app = warp::path!("events").and(warp::get()).and(sse_request()).map(events);
//! log.append(Event::new("hello")).await?;
//! assert_eq!(log.stats().events, 1);
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! sse-warp = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread", "signal"] }
//! warp = { version = "0.4", features = ["server"] }
//! ```
//!
//! Serve it with [`listener`](fn@listener), which cuts off clients that stall, and with the shutdown of the log, which ends the streams:
//!
//! ```no_run
//! # use sse_warp::{EventLog, Sse, listener};
//! # use warp::Filter;
//! # async fn serve(app: impl Filter<Extract = (Sse,), Error = warp::Rejection> + Clone + Send + Sync + 'static, log: EventLog) -> std::io::Result<()> {
//! let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
//! warp::serve(app).incoming(listener("127.0.0.1:3000")?).graceful(stop).run().await;
//! # Ok(())
//! # }
//! ```
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
//! The examples of most items say `sse_core`: this crate re-exports it, so write `sse_warp` in its place.
//!
//! All items except [`SseRequest`], [`sse_request`], [`Sse`], [`SseError`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. warp
//! notices at once that a client has left. It answers HTTP/1.0 and HTTP/2 as it should, and HEAD if the filter lets it
//! through: `warp::get()` is only for GET. Do not wrap event streams in `warp::compression`, which
//! holds events back.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too, as `docs/deploying.md` in the repository shows.
#![forbid(unsafe_code)]

mod error;

use std::convert::Infallible;

pub use error::SseError;
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
#[cfg(feature = "listener")]
#[doc(inline)]
pub use sse_http::{listener, listener_with};
use warp::Filter;
use warp::http::{self, HeaderMap, Method};
use warp::reply::{Reply, Response};

/// The request of a client. The filter [`sse_request`] extracts it.
///
/// ```
/// use sse_warp::{EventLog, Sse, SseRequest, sse_request, stream_events};
/// use warp::Filter;
///
/// fn events(request: SseRequest) -> Sse {
///     println!("{:?}", request.0.last_event_id("lastEventId"));
///     stream_events(request, EventLog::in_memory(1000))
/// }
/// let app = warp::path!("events").and(sse_request()).map(events);
/// # drop(app);
/// ```
#[doc(alias("header", "headers", "query"))]
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
///
/// Add a header by `with_header`; a test reads the events that there are:
///
/// ```
/// use sse_warp::{EventLog, Sse, SseRequest, Start, StreamRequest, stream_events};
/// use warp::reply::{Reply, with_header};
///
/// fn events(request: SseRequest, log: &EventLog) -> Sse {
///     stream_events(request, log.feed().start_at(Start::Oldest))
/// }
///
/// fn answer(request: SseRequest, log: &EventLog) -> impl Reply {
///     with_header(events(request, log), "x-user", "7")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_warp::Error> {
/// let log = EventLog::in_memory(1000);
/// log.append("hello").await?;
/// let request = SseRequest(StreamRequest::new("GET", None, []));
/// let response = events(request.clone(), &log);
/// assert_eq!(response.0.status, 200);
/// assert!(response.0.text().await.contains("data: hello\n"));
/// assert_eq!(answer(request, &log).into_response().headers()["x-user"], "7");
/// # Ok(())
/// # }
/// ```
#[doc(alias("header", "headers", "status", "with_header"))]
#[derive(Debug)]
#[must_use = "the stream is sent by returning it from a handler"]
pub struct Sse(pub StreamResponse);

/// Returns the response to a request: a stream of this feed, first what the client missed since its last event ID, then live events.
///
/// The feed may be a log, a [`Feed`], or a `Result` of one, as [`EventLog::topics`] returns it. An error that will pass is a stream that ends, so
/// that the client comes back; any other has its [status](Error::status). The request may be a POST, whose answer is then the stream:
///
/// ```
/// use sse_warp::{Sse, SseRequest, StreamContext, stream_events};
/// # use sse_warp::StreamRequest;
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
pub fn stream_events(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
    Sse(sse_http::stream_events(sse_http::SseRequest(request.0), feed).0)
}

/// Returns the response to a request, like [`stream_events`], but asks the store first whether the client can resume, if only the store knows:
/// so that [`OnGap::Status`] has its status at once. It waits for [`StoreOptions::store_timeout`] at most.
pub async fn stream_events_resolved(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
    Sse(sse_http::stream_events_resolved(sse_http::SseRequest(request.0), feed).await.0)
}

/// Returns a filter that extracts the request of a client, and never rejects.
pub fn sse_request() -> impl Filter<Extract = (SseRequest,), Error = Infallible> + Clone {
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    warp::method().and(query).and(warp::header::headers_cloned()).map(
        |method: Method, query: Option<String>, headers: HeaderMap| {
            let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            SseRequest(StreamRequest::new(method.as_str(), query.as_deref(), headers))
        },
    )
}

impl Reply for Sse {
    fn into_response(self) -> Response {
        http::Response::from(sse_http::Sse(self.0))
            .map(|body| warp::reply::stream(body.0).into_response().into_body())
    }
}
