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
//! All items except [`SseRequest`], [`Sse`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. axum notices
//! at once that a client has left. It answers HEAD and HTTP/1.0 as it should, and HTTP/2 with its feature `http2`.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too: see `docs/deploying.md` in the repository.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
#[cfg(feature = "listener")]
pub use sse_core::ListenerOptions;
pub use sse_core::{
    BoxError, Closed, Cut, End, Ended, Epoch, Error, Event, EventId, EventLog, EventStream,
    EventType, Feed, FeedOnce, Followed, Follower, Following, Frame, Frames, Gap, GapReason,
    Headers, InvalidField, InvalidTopic, LastEventId, Limit, Limits, LogOptions, LogStats,
    MakeSnapshot, NewEvent, Observer, OnGap, Position, Receipt, Replay, Shutdown, Snapshot,
    SnapshotRequest, Source, Start, StoreOptions, StreamContext, StreamOptions, StreamRequest,
    StreamResponse, Timer, Topic, TopicSet, TopicStats, async_trait, copy, merge, source, store,
};
#[cfg(feature = "listener")]
#[doc(inline)]
pub use sse_http::{listener, listener_with};

/// The request of a client. An extractor that never rejects.
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
#[derive(Debug)]
#[must_use = "the stream is sent by returning it from a handler"]
pub struct Sse(pub StreamResponse);

/// Returns the response to a request: a stream of this feed, first what the client missed since its last event ID, then live events.
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
