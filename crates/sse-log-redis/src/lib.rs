//! An event log over Redis Streams (and Valkey): many processes append to it, many serve it, and a client resumes in any of them.
//!
//! ```no_run
//! use sse_log_redis::Error;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let log = sse_log_redis::open("redis://127.0.0.1/", "prices").await?;
//! let id = log.append("12.50").await?;
//! assert_eq!(log.get(&id).await?.to_event().data.as_deref(), Some("12.50"));
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok(())
//! # }
//! ```
//!
//! It wants Redis 7.0 or later, or Valkey 7.2 or later; some services that speak the same protocol have no scripts, and will not do. With the
//! feature `cluster`, which is off by default, a URL may name several nodes of a Redis Cluster, `redis://one:7000,redis://two:7000`; a log is on
//! one of them, and followed when it moves.
//!
//! # What is kept, and where
//!
//! | key, for the log `prices` | what it holds |
//! |---|---|
//! | `sse:{prices}` | a stream: its entries are the events, and the id of an entry is the position of an event |
//! | `sse:{prices}:meta` | a hash: the epoch, the floor, whether the log is finished, how many bytes, how many deletions |
//! | `sse:{prices}:keys` | a hash: which event is the newest of a key |
//! | `sse:{prices}:changes` | a stream of one entry, which wakes followers |
//! | `sse:{prices}:once:…` | for each idempotency key where its event is; it expires |
//!
//! The braces are part of the keys: they are one hash tag, so that a cluster keeps the keys together. [`Options::prefix`] is what they begin with instead of
//! `sse`. Whatever is written is written by a script, and so at once or not at all.
//!
//! # What Redis promises
//!
//! [`append`](EventLog::append) returns once Redis has answered. What it has answered for outlives
//!
//! - the end of this process, always;
//! - a `kill -9` of Redis where it has `appendonly yes`: the file was handed to the operating system. (With `appendfsync everysec`, the default then,
//!   a disk that is too slow can have it lag for up to 2 s.) Redis persists nothing between snapshots unless `appendonly yes`, and that is off by default;
//! - the loss of the machine's power only with `appendfsync always` besides; `everysec` may lose a second or two;
//! - the loss of the machine only where a replica had it already: replication is asynchronous, and a replica that is promoted may
//!   lack the newest events. That is noticed: while a process that knew them runs, a new epoch begins, and clients are told of a gap.
//!
//! A `FLUSHALL`, or another stream in the place of this one, is a new epoch or a gap, and never silent. Who trims the stream by other means
//! (`XTRIM`) is reckoned with: a gap is seen, and the bytes that are left are counted anew. An entry added by other means is passed over.
//!
//! # Restoring a backup
//!
//! A snapshot or append-only file restored while a process runs that has seen what is lost is a new epoch. Where no process ran nobody could notice, and
//! ids would be given anew: call [`EventLog::new_epoch`].
//!
//! # Limits
//!
//! - `maxmemory-policy` must be `noeviction`, which is the default: another may evict the whole stream, or what is remembered of idempotency keys.
//! - An append has at most 100 000 events and 256 MiB, since Redis does nothing else meanwhile.
//! - An idempotency window is 1 ms at least, and 10 years at most.
//! - A user of its own (`ACL SETUSER`) needs the keys `~sse:*`, to write as well as to read, and the commands `EVALSHA`, `SCRIPT LOAD`, `EXISTS`, `GET`,
//!   `HDEL`, `HGET`, `HINCRBY`, `HLEN`, `HMGET`, `HSCAN`, `HSET`, `HSETNX`, `SET`, `TIME`, `XADD`, `XDEL`, `XINFO`, `XLEN`, `XRANGE`, `XREAD`,
//!   `XREVRANGE`, `XTRIM`. An append that wants one more than the user may run is refused whole.
//!
//! # Costs
//!
//! A log has two connections in a process: one for all that is asked, one that waits. A keyed event removes the one before it
//! (`XDEL`), whose memory Redis sets free together with its neighbours': at worst, a key takes 4 kB.
//!
//! # TLS
//!
//! With the feature `tls`, which is off by default, a URL may be `rediss://`. The server's certificate is checked against those that the system trusts
//! (or the file that `SSL_CERT_FILE` names). A build with it makes rustls's `ring` the process's default provider of cryptography, unless the
//! application has installed one before.
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
pub use sse_core::{Error, EventLog, StoreOptions};
pub use store::RedisStore;

use sse_core::Timer;

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is `redis://[user:password@]host[:port][/database]`, `rediss://` with the feature `tls`, or `unix:///path`; what of a user or a password
/// is no letter or digit is percent-encoded (a comma as `%2C`). The name is 1 to 64 of
/// `[A-Za-z0-9_-]`. To be called within a tokio runtime, which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// Where the URL, the name or the prefix is none, where the URL wants a feature that is off ([`RedisStore::connect`]), and where Redis cannot be reached
/// ([`is_store`](Error::is_store)).
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, Options::default()).await
}

/// The same, with these options. With a [`StoreOptions::store_wait`] it waits for a Redis that is down.
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

/// The same, of a store that the application has connected.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: RedisStore, options: StoreOptions) -> Result<EventLog, Error> {
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}
