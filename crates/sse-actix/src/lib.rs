//! Resumable server-sent events for actix-web.
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live ones:
//!
//! ```
//! use actix_web::{App, web};
//! use sse_actix::{Event, EventLog, Sse, SseRequest, stream_events};
//!
//! async fn events(log: web::Data<EventLog>, request: SseRequest) -> Sse {
//!     stream_events(request, log.get_ref())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sse_actix::Error> {
//! let log = EventLog::in_memory(1000);
//! let app = App::new().app_data(web::Data::new(log.clone())).route("/events", web::get().to(events));
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
//! actix-web = "4"
//! sse-actix = "0.1"
//! tokio = { version = "1", features = ["signal"] }
//! ```
//!
//! Serve it with [`listener`](fn@listener), which cuts off clients that stall, with the shutdown of the log, which ends the streams, and
//! with `h1_allow_half_closed(false)`, so that the server notices at once, and not at the next write, that a client has left:
//!
//! ```no_run
//! # use actix_web::{App, HttpServer, web};
//! # use sse_actix::{EventLog, listener};
//! # async fn serve(log: EventLog) -> std::io::Result<()> {
//! # let app = App::new;
//! let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
//! let server = HttpServer::new(app).h1_allow_half_closed(false).shutdown_signal(stop);
//! server.listen(listener("127.0.0.1:3000")?)?.run().await
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
//! The examples of most items say `sse_core`: this crate re-exports it, so write `sse_actix` in its place.
//!
//! All items except [`SseRequest`], [`Sse`], [`SseError`] and [`stream_events`] are those of [`sse_core`], and the same with every framework. actix-web
//! answers HTTP/1.0 and HTTP/2 (without TLS by `listen_auto_h2c` in place of `listen`) as it should, and HEAD if the handler is mounted for it:
//! `web::get()` is only for GET. `Compress` leaves the streams alone.
//!
//! The example ends at Ctrl-C. A server that is deployed must wait for SIGTERM, too, as `docs/deploying.md` in the repository shows.
#![forbid(unsafe_code)]

mod cushion;
mod error;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
pub use error::SseError;
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
pub use sse_core::{ListenerOptions, listener, listener_with};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::cushion::Cushion;

/// The request of a client. An extractor that never rejects.
///
/// ```
/// use sse_actix::{EventLog, Sse, SseRequest, stream_events};
///
/// async fn events(request: SseRequest) -> Sse {
///     println!("{:?}", request.0.last_event_id("lastEventId"));
///     stream_events(request, EventLog::in_memory(1000))
/// }
/// # let _ = actix_web::App::new().route("/events", actix_web::web::get().to(events));
/// ```
#[doc(alias("header", "headers", "query"))]
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The response: an event stream.
///
/// Add a header by `customize`; a test reads the events that there are:
///
/// ```
/// use actix_web::Responder;
/// use sse_actix::{EventLog, Sse, SseRequest, Start, StreamRequest, stream_events};
///
/// async fn events(request: SseRequest, log: EventLog) -> Sse {
///     stream_events(request, log.feed().start_at(Start::Oldest))
/// }
///
/// async fn with_a_header(request: SseRequest, log: EventLog) -> impl Responder {
///     events(request, log).await.customize().insert_header(("x-user", "7"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_actix::Error> {
/// let log = EventLog::in_memory(1000);
/// log.append("hello").await?;
/// let request = SseRequest(StreamRequest::new("GET", None, []));
/// let response = events(request.clone(), log.clone()).await;
/// assert_eq!(response.0.status, 200);
/// assert!(response.0.text().await.contains("data: hello\n"));
/// # drop(with_a_header(request, log));
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
/// use sse_actix::{Sse, SseRequest, StreamContext, stream_events};
/// # use sse_actix::StreamRequest;
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
    Sse(StreamResponse::new(&request.0, feed, timer()))
}

/// Returns the response to a request, like [`stream_events`], but asks the store first whether the client can resume, if only the store knows:
/// so that [`OnGap::Status`] has its status at once. It waits for [`StoreOptions::store_timeout`] at most.
pub async fn stream_events_resolved(request: SseRequest, feed: impl Into<FeedOnce>) -> Sse {
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

impl FromRequest for SseRequest {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let headers =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        ready(Ok(Self(StreamRequest::new(
            request.method().as_str(),
            request.uri().query(),
            headers,
        ))))
    }
}

impl Responder for Sse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let StreamResponse { status, headers, body, .. } = self.0;
        let mut response = HttpResponse::build(
            StatusCode::from_u16(status).expect("the core's statuses are valid"),
        );
        for header in headers.iter() {
            response.insert_header(header);
        }
        // `Compress` would hold events back, unless the response says how it is encoded. It has no other switch; RFC 9110, 8.4.1, asks
        // not to send `identity`, so only a request for which `Compress` could compress gets it.
        if request.headers().contains_key("accept-encoding") {
            response.insert_header(("content-encoding", "identity"));
        }
        let mut response = response.body(match request.version() {
            Version::HTTP_2 => BodyStream::new(body).boxed(),
            _ => BodyStream::new(Cushion::new(body)).boxed(),
        });
        if request.version() < Version::HTTP_11 {
            // There are no chunks: the body ends with the connection.
            response.head_mut().set_connection_type(ConnectionType::Close);
            response.head_mut().no_chunking(true);
        }
        response
    }
}
