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
//! Everything but [`SseRequest`], [`Sse`] and [`stream_events`] is [`sse_core`], and the same with every framework. Leaving is noticed
//! at once. HEAD and HTTP/1.0 are answered as they should be, and so is HTTP/2 with axum's feature `http2`.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too: see `docs/deploying.md` in the repository.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::sync::LazyLock;
#[cfg(feature = "listener")]
use std::{io, net::ToSocketAddrs};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::{HeaderValue, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
pub use sse_core::*;
#[cfg(feature = "listener")]
use tokio::net::TcpListener;
use tokio::time::Instant;

/// What the client asked for. An extractor that never rejects.
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The answer: an event stream.
#[derive(Debug)]
#[must_use = "the stream is sent by returning it from a handler"]
pub struct Sse(pub StreamResponse);

/// Answers a request with a stream of this feed: what the client missed since its last event ID, then live.
pub fn stream_events(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
    Sse(StreamResponse::new(&request.0, feed, timer()))
}

/// A listening socket that suits event streams, for `axum::serve`: see [`sse_core::listener`](fn@sse_core::listener).
///
/// # Errors
///
/// Where the address cannot be listened on.
///
/// # Panics
///
/// Outside of a tokio runtime.
#[cfg(feature = "listener")]
pub fn listener(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    listener_with(address, ListenerOptions::default())
}

/// As [`listener`], with these options.
///
/// # Errors
///
/// As for [`listener`].
///
/// # Panics
///
/// As for [`listener`].
#[cfg(feature = "listener")]
pub fn listener_with(
    address: impl ToSocketAddrs,
    options: ListenerOptions,
) -> io::Result<TcpListener> {
    TcpListener::from_std(sse_core::listener_with(address, options)?)
}

/// One for all streams.
fn timer() -> Timer {
    static TIMER: LazyLock<Timer> =
        LazyLock::new(|| Timer::new(|| Instant::now().into_std(), tokio::time::sleep));
    TIMER.clone()
}

impl<S: Send + Sync> FromRequestParts<S> for SseRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Ok(Self(StreamRequest::new(parts.method.as_str(), parts.uri.query(), headers)))
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        let StreamResponse { status, headers, body, .. } = self.0;
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() =
            StatusCode::from_u16(status).expect("the core's statuses are valid");
        for (name, value) in headers {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        response
    }
}
