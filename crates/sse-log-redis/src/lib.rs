//! An event log over Redis Streams (and Valkey): many processes append to it, many serve it, and a client resumes in any of them.
//!
//! ```no_run
//! use sse_log_redis::Error;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let log = sse_log_redis::open("redis://127.0.0.1/", "prices").await?;
//! let id = log.append("12.50").await?;
//! assert!(log.get(&id).await?.to_event().data.is_some());
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok(())
//! # }
//! ```
//!
//! It wants Redis 7.0 or later, or Valkey 7.2 or later; some services that speak the same protocol have no scripts, and will not do.
//!
//! # What is kept, and where
//!
//! The events are the entries of one stream, `sse:{name}`; beside it are `sse:{name}:meta`, `:keys`, `:changes`, and a key for each
//! idempotency key, which expires. All have one hash tag, so that a cluster keeps them together. The id of an entry is the
//! position of an event. Whatever is written is written by a script, and so at once or not at all.
//!
//! # What Redis promises
//!
//! [`append`](EventLog::append) returns once Redis has answered. What it has answered for outlives
//!
//! - the end of this process, always;
//! - a `kill -9` of Redis with `appendonly yes`, and `appendfsync always` (or what is in the system's cache is lost with the machine);
//!   `everysec`, the default, may lose a second; without `appendonly` all since the last snapshot is lost;
//! - the loss of the machine only where a replica had it already: replication is asynchronous, and a replica that is promoted may
//!   lack the newest events. That is noticed: while a process that knew them runs, a new epoch begins, and clients are told of a gap.
//!
//! `maxmemory-policy` must be `noeviction`, which is the default: another may evict the whole stream, or what is remembered of idempotency keys.
//! A `FLUSHALL`, or another stream in the place of this one, is a new epoch or a gap, and never silent.
//! Who trims the stream by other means (`XTRIM`) is reckoned with: a gap is seen. An entry added by other means is passed over.
//!
//! # Costs
//!
//! A log has two connections in a process: one for all that is asked, one that waits. A keyed event removes the one before it
//! (`XDEL`), whose memory Redis sets free together with its neighbours': at worst, a key takes 4 kB.
//!
//! # Features
//!
//! - `tls`: `rediss://`, with the system's certificates.
//! - `cluster`: a URL may name several nodes, `redis://one:7000,redis://two:7000`; a log is on one of them, and followed when it moves.
//!
//! Both are off by default.
#![forbid(unsafe_code)]

mod admin;
mod append;
mod bounds;
mod connection;
mod failure;
mod follow;
mod name;
mod node;
mod options;
mod read;
mod request;
mod retain;
mod script;
mod sizes;
mod store;

pub use options::Options;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, LogOptions};
pub use store::RedisStore;

use sse_core::Timer;

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is `redis://[user:password@]host[:port][/database]`, `rediss://` with the feature `tls`, or `unix:///path`. The name is 1 to 64 of
/// `[A-Za-z0-9_-]`. To be called within a tokio runtime, which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// Where the URL or the name is none, and where Redis cannot be reached ([`is_store`](Error::is_store)).
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, Options::default()).await
}

/// The same, with these options. With a [`LogOptions::store_wait`] it waits for a Redis that is down.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_with(url: &str, name: &str, options: Options) -> Result<EventLog, Error> {
    open_store(RedisStore::connect(url, name, &options).await?, options.log).await
}

/// The same, of a store that is there already.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: RedisStore, options: LogOptions) -> Result<EventLog, Error> {
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}
