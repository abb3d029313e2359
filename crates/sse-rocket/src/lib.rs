//! Resumable server-sent events for Rocket.
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live ones:
//!
//! ```
//! use sse_rocket::{Event, EventLog, Sse, SseRequest, stream_events};
//!
//! #[rocket::get("/events")]
//! fn events(log: &rocket::State<EventLog>, request: SseRequest) -> Sse {
//!     stream_events(request, log.inner())
//! }
//!
//! # #[rocket::main]
//! # async fn main() -> Result<(), sse_rocket::Error> {
//! let log = EventLog::in_memory(1000);
//! let app = rocket::build().manage(log.clone()).mount("/", rocket::routes![events]);
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
//! rocket = "0.5"
//! sse-rocket = "0.1"
//! ```
//!
//! Rocket's own shutdown ends the streams. It may then wait for its whole grace period, so set `shutdown.grace` to 1. It makes its own sockets: a client
//! that stalls is not cut off. Rocket notices at the next write that a client has left, so at the latest at the keep-alive.
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
//! The examples of most items say `sse_core`: this crate re-exports it, so write `sse_rocket` in its place.
//!
//! All items except [`SseRequest`], [`Sse`], [`SseError`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. Rocket answers
//! HEAD, HTTP/1.0 and HTTP/2 as it should. It drops a header that is not UTF-8 before this crate can read it.
#![forbid(unsafe_code)]

mod error;

use std::convert::Infallible;
use std::io;
use std::sync::LazyLock;

pub use error::SseError;
use futures_util::TryStreamExt;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::tokio::{self, runtime::Handle, time::Instant};
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
use tokio_util::io::StreamReader;

/// The request of a client. A guard that never fails.
///
/// ```
/// use sse_rocket::{EventLog, Sse, SseRequest, stream_events};
///
/// #[rocket::get("/events")]
/// fn events(request: SseRequest) -> Sse {
///     println!("{:?}", request.0.last_event_id("lastEventId"));
///     stream_events(request, EventLog::in_memory(1000))
/// }
/// # drop(rocket::build().mount("/", rocket::routes![events]));
/// ```
#[doc(alias("header", "headers", "query"))]
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
///
/// Add a header by a derived `Responder`; a test reads the events that there are:
///
/// ```
/// use rocket::http::Header;
/// use sse_rocket::{EventLog, Sse, SseRequest, Start, StreamRequest, stream_events};
///
/// #[derive(rocket::Responder)]
/// struct WithUser(Sse, Header<'static>);
///
/// fn events(request: SseRequest, log: &EventLog) -> Sse {
///     stream_events(request, log.feed().start_at(Start::Oldest))
/// }
///
/// #[rocket::get("/events")]
/// fn answer(request: SseRequest, log: &rocket::State<EventLog>) -> WithUser {
///     WithUser(events(request, log), Header::new("x-user", "7"))
/// }
///
/// # #[rocket::main]
/// # async fn main() -> Result<(), sse_rocket::Error> {
/// let log = EventLog::in_memory(1000);
/// log.append("hello").await?;
/// let response = events(SseRequest(StreamRequest::new("GET", None, [])), &log);
/// assert_eq!(response.0.status, 200);
/// assert!(response.0.text().await.contains("data: hello\n"));
/// # drop(rocket::routes![answer]);
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
/// use sse_rocket::{Sse, SseRequest, StreamContext, stream_events};
/// # use sse_rocket::StreamRequest;
///
/// #[rocket::post("/chat", data = "<question>")]
/// fn chat(request: SseRequest, question: String) -> Sse {
///     stream_events(request, StreamContext::run(|context| async move {
///         for word in question.split(' ') {
///             context.send_event(word).await?;
///         }
///         Ok(())
///     }))
/// }
///
/// # #[rocket::main]
/// # async fn main() {
/// # let request = SseRequest(StreamRequest::new("POST", None, []));
/// let text = chat(request, "how many".to_owned()).0.text().await;
/// assert!(text.ends_with("data: how\n\ndata: many\n\n"));
/// # }
/// ```
#[doc(alias("new", "respond", "response", "subscribe"))]
pub fn stream_events(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
    Sse(StreamResponse::new(&request.0, feed, timer()))
}

/// Returns the response to a request, like [`stream_events`], but asks the store first whether the client can resume, if only the store knows:
/// so that [`OnGap::Status`] has its status at once. It waits for [`StoreOptions::store_timeout`] at most.
pub async fn stream_events_resolved(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
    Sse(StreamResponse::resolved(&request.0, feed, timer()).await)
}

/// The bytes that Rocket reads at once, and holds for each stream.
const CHUNK_SIZE: usize = 16 * 1024;

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

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SseRequest {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let query = request.uri().query().map(|query| query.as_str());
        let headers = ["last-event-id", "accept"].into_iter().flat_map(|name| {
            request.headers().get(name).map(move |value| (name, value.as_bytes()))
        });
        Outcome::Success(Self(StreamRequest::new(request.method().as_str(), query, headers)))
    }
}

impl<'r> Responder<'r, 'static> for Sse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let StreamResponse { status, headers, body, .. } = self.0;
        let mut response = Response::build();
        response.status(Status::new(status));
        for (name, value) in headers.iter() {
            response.raw_header(name, value);
        }
        // Rocket's own shutdown ends the stream, since otherwise it would cut it off.
        let body = body.until(request.rocket().shutdown()).map_err(io::Error::from);
        // Set the size last: a new body has a chunk size of its own.
        response.streamed_body(StreamReader::new(body)).max_chunk_size(CHUNK_SIZE).ok()
    }
}
