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
//! Everything but [`SseRequest`], [`sse_request`], [`Sse`] and [`stream_events`] is [`sse_core`], and the same with every framework. Leaving is
//! noticed at once. HTTP/1.0 and HTTP/2 are answered as they should be, and so is HEAD where the filter lets it
//! through: `warp::get()` is for GET alone. Do not wrap event streams in `warp::compression`, which
//! holds events back.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too: see `docs/deploying.md` in the repository.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::sync::LazyLock;
#[cfg(feature = "listener")]
use std::{io, net::ToSocketAddrs};

pub use sse_core::*;
#[cfg(feature = "listener")]
use tokio::net::TcpListener;
use tokio::time::Instant;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::{Reply, Response};

/// What the client asked for. Given by the filter [`sse_request`].
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

/// What the client asked for, as a filter that never rejects.
pub fn sse_request() -> impl Filter<Extract = (SseRequest,), Error = Infallible> + Clone {
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    warp::method().and(query).and(warp::header::headers_cloned()).map(
        |method: Method, query: Option<String>, headers: HeaderMap| {
            let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            SseRequest(StreamRequest::new(method.as_str(), query.as_deref(), headers))
        },
    )
}

/// A listening socket that suits event streams, for `warp::serve(..).incoming(..)`: see
/// [`sse_core::listener`](fn@sse_core::listener).
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

impl Reply for Sse {
    fn into_response(self) -> Response {
        let StreamResponse { status, headers, body, .. } = self.0;
        let mut response = warp::reply::stream(body).into_response();
        *response.status_mut() =
            StatusCode::from_u16(status).expect("the core's statuses are valid");
        for (name, value) in headers {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        response
    }
}
