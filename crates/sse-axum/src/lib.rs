//! Resumable server-sent events for axum.
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live ones:
//!
//! ```
//! use axum::{Router, extract::State, routing::get};
//! use sse_axum::{Event, EventLog, Sse, SseRequest, stream_events};
//!
//! async fn events(State(log): State<EventLog>, request: SseRequest) -> Sse {
//!     stream_events(request, log)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sse_axum::Error> {
//! let log = EventLog::in_memory(1000);
//! let app: Router = Router::new().route("/events", get(events)).with_state(log.clone());
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
//! axum = "0.8"
//! sse-axum = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread", "signal"] }
//! ```
//!
//! Serve it with [`listener`](fn@listener), which cuts off clients that stall, and with the shutdown of the log, which ends the streams:
//!
//! ```no_run
//! # use axum::Router;
//! # use sse_axum::{EventLog, listener};
//! # async fn serve(app: Router, log: EventLog) -> std::io::Result<()> {
//! let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
//! axum::serve(listener("127.0.0.1:3000")?, app).with_graceful_shutdown(stop).await
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
//! The examples of most items say `sse_core`: this crate re-exports it, so write `sse_axum` in its place.
//!
//! All items except [`SseRequest`], [`Sse`], [`SseError`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. axum notices
//! at once that a client has left. It answers HEAD and HTTP/1.0 as it should, and HTTP/2 with its feature `http2`.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too, as `docs/deploying.md` in the repository shows.
#![forbid(unsafe_code)]

mod error;

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
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

/// The request of a client. An extractor that never rejects.
///
/// ```
/// use sse_axum::{EventLog, Sse, SseRequest, stream_events};
///
/// async fn events(request: SseRequest) -> Sse {
///     println!("{:?}", request.0.last_event_id("lastEventId"));
///     stream_events(request, EventLog::in_memory(1000))
/// }
/// # let _: axum::Router = axum::Router::new().route("/events", axum::routing::get(events));
/// ```
#[doc(alias("header", "headers", "query"))]
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
///
/// Add a header as to any response; a test reads the events that there are:
///
/// ```
/// use axum::response::IntoResponse;
/// use sse_axum::{EventLog, Sse, SseRequest, Start, StreamRequest, stream_events};
///
/// async fn events(request: SseRequest, log: EventLog) -> Sse {
///     stream_events(request, log.feed().start_at(Start::Oldest))
/// }
///
/// async fn with_a_header(request: SseRequest, log: EventLog) -> impl IntoResponse {
///     ([("x-user", "7")], events(request, log).await)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_axum::Error> {
/// let log = EventLog::in_memory(1000);
/// log.append("hello").await?;
/// let request = SseRequest(StreamRequest::new("GET", None, []));
/// let response = events(request.clone(), log.clone()).await;
/// assert_eq!(response.0.status, 200);
/// assert!(response.0.text().await.contains("data: hello\n"));
/// let response = with_a_header(request, log).await.into_response();
/// assert_eq!(response.headers()["x-user"], "7");
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
/// use sse_axum::{Sse, SseRequest, StreamContext, stream_events};
/// # use sse_axum::StreamRequest;
///
/// async fn chat(request: SseRequest, question: String) -> Sse {
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
/// let text = chat(request, "how many".to_owned()).await.0.text().await;
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

impl<S: Send + Sync> FromRequestParts<S> for SseRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(sse_http::SseRequest::from(&*parts).0))
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        Response::from(sse_http::Sse(self.0)).map(Body::new)
    }
}
