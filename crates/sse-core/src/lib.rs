//! Resumable [server-sent events], for any framework and any runtime.
//!
//! A client that reconnects with its last event ID gets every event it missed, in order, none twice, and then the live events. This
//! crate holds nearly all the code of `sse-axum`, `sse-actix`, `sse-warp`, `sse-rocket` and `sse-http`; each re-exports it. To use event
//! streams in one of these frameworks, or with the types of the crate `http`, begin with its crate.
//!
//! ```
//! use futures_util::StreamExt;
//! use sse_core::{Event, EventLog, StreamRequest, StreamResponse, Timer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sse_core::Error> {
//! // The application appends; every client gets it.
//! let log = EventLog::in_memory(1000);
//! let seen = log.append(Event::new("one")).await?;
//! log.append(Event::new("two")).await?;
//!
//! // A client comes back and sends the id of the last event it saw. An adapter builds this from its framework's request.
//! let request = StreamRequest::new("GET", None, [("Last-Event-ID", seen.as_str().as_bytes())]);
//! let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
//! let mut response = StreamResponse::new(&request, &log, timer);
//!
//! let Some(Ok(first_line)) = response.body.next().await else { unreachable!() };
//! assert!(first_line.starts_with(b": ok\nretry: ")); // the time after which a client comes back that is cut off
//! let Some(Ok(missed)) = response.body.next().await else { unreachable!() };
//! assert!(missed.starts_with(b"data: two\n"));
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - An [`Event`] is one block of a stream as data, with its checked fields [`EventId`] and [`EventType`]; a [`Frame`] is an event encoded once.
//! - The application appends to an [`EventLog`], and clients stream from it. A [`NewEvent`] is an event with keys: the log keeps only the newest
//!   event of a key, and stores an event with the same idempotency key once. [`merge`] makes one stream of several logs.
//! - A log is in memory ([`LogOptions`]), or over a [`Store`](store::Store) ([`StoreOptions`]), such as the crates `sse-log-redb`,
//!   `sse-log-redis`, `sse-log-nats` and `sse-log-postgres` have. [`EventLog::open`] opens it, with a [`Follower`] that brings its events into
//!   this process. [`copy`] copies a log to another store.
//! - If the application keeps its events itself, with ids of their own, a [`Source`] fetches what a client missed and subscribes to what
//!   follows. A [`StreamContext`] sends to one client.
//! - Each of these makes a [`Feed`], which holds the [`StreamOptions`].
//! - An adapter builds a [`StreamRequest`] and a [`Timer`] from its framework, and copies the [`StreamResponse`] and its [`EventStream`] to it.
//! - A [`Shutdown`] ends streams, so that a server can end.
//! - A [`Start`] sets the position at which a first visit begins, or the [`Snapshot`] with which.
//! - A [`Gap`] says why a client cannot resume exactly where it was, and [`OnGap`] sets what the stream then does: a [`Snapshot`], for example,
//!   has the application's own events in place of those that were lost.
//! - [`Limits`] bound the number of open streams.
//! - An [`Observer`] is told what happens to logs and streams.
//! - An [`Error`] has questions to ask it, such as [`is_outcome_unknown`](Error::is_outcome_unknown).
//!
//! # Features
//!
//! - `listener`: adds a listening socket that suits event streams (socket2). Off by default; the adapters turn it on.
//! - `metrics`: adds [`Metrics`](https://docs.rs/sse-core/latest/sse_core/struct.Metrics.html), an observer that counts for the crate
//!   `metrics`. Off by default.
//!
//! [server-sent events]: https://html.spec.whatwg.org/multipage/server-sent-events.html
#![deny(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![forbid(unsafe_code)]

mod text;

#[macro_use]
mod field;
pub use field::{EventId, EventType, InvalidField};

mod chain;

mod boxed;
pub use boxed::BoxError;

mod topic;
pub use topic::{InvalidTopic, Topic, TopicSet};

mod error;
pub use error::Error;

mod event;
pub use event::Event;

mod encode;

mod frame;
pub use frame::Frame;

mod epoch;
pub use epoch::Epoch;

mod base62;
mod chunk;
mod position;
pub use position::Position;

mod id;
mod view;

mod gap;
pub use gap::{Gap, GapReason};

mod snapshot;
pub use snapshot::{MakeSnapshot, Snapshot, SnapshotRequest};

mod observer;
pub use observer::{Delivered, End, Ended, FollowerState, Observer};

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;

mod gap_policy;
mod on_gap;
pub use on_gap::OnGap;

mod limits;
pub use limits::{Limit, Limits};

mod request;
pub use request::{LastEventId, StreamRequest};

mod random;
mod timer;
pub use timer::Timer;

mod sync;

mod shutdown;
pub use shutdown::Shutdown;

mod source;
#[doc(no_inline)]
pub use async_trait::async_trait;
pub use source::{Frames, Replay, Source, StreamItem, source};

mod resume;

pub mod store;

mod new_event;
pub use new_event::NewEvent;

mod log;
pub use log::{
    EventLog, Followed, Follower, Following, LogOptions, LogStats, Receipt, StoreOptions,
    TopicStats, copy,
};

mod merge;
pub use merge::merge;

mod stream_context;
pub use stream_context::{Closed, StreamContext};

mod start;
pub use start::Start;

mod pack;

mod panics;

mod feed;
pub use feed::options::StreamOptions;
pub use feed::{Feed, FeedOnce};

mod unwritten;

mod cut;
pub use cut::Cut;

mod event_stream;
pub use event_stream::EventStream;

mod headers;
pub use headers::Headers;

mod response;
pub use response::StreamResponse;

#[cfg(feature = "listener")]
mod listener;
#[cfg(feature = "listener")]
pub use listener::{ListenerOptions, listener, listener_with};
