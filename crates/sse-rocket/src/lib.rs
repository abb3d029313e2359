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
//! Rocket's own shutdown ends the streams. It may then wait for its whole grace period, so set `shutdown.grace` to 1. It makes its own sockets: a client
//! that stalls is not cut off. Rocket notices at the next write that a client has left, so at the latest at the keep-alive.
//!
//! All items except [`SseRequest`], [`Sse`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. Rocket answers
//! HEAD, HTTP/1.0 and HTTP/2 as it should. It drops a header that is not UTF-8 before this crate can read it.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io;
use std::sync::LazyLock;

use futures_util::TryStreamExt;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::tokio::{self, runtime::Handle, time::Instant};
pub use sse_core::{
    BoxError, Closed, Cut, End, Ended, Epoch, Error, Event, EventId, EventLog, EventStream,
    EventType, Feed, FeedOnce, Followed, Follower, Following, Frame, Frames, Gap, GapReason,
    Headers, InvalidField, InvalidTopic, LastEventId, Limit, Limits, LogOptions, LogStats,
    MakeSnapshot, NewEvent, Observer, OnGap, Position, Receipt, Replay, Shutdown, Snapshot,
    SnapshotRequest, Source, Start, StoreOptions, StreamContext, StreamOptions, StreamRequest,
    StreamResponse, Timer, Topic, TopicSet, TopicStats, async_trait, copy, merge, source, store,
};
use tokio_util::io::StreamReader;

/// The request of a client. A guard that never fails.
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
#[derive(Debug)]
#[must_use = "the stream is sent by returning it from a handler"]
pub struct Sse(pub StreamResponse);

/// Returns the response to a request: a stream of this feed, first what the client missed since its last event ID, then live events.
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
