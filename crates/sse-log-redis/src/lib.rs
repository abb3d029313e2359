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
//! Logs that are opened so share an [`Engine`] if their URLs and options are equal. [`connect`] gives an engine, which opens logs and names those it keeps.
//!
//! It needs Redis 7.0 or later, or Valkey 7.2 or later: an older server is refused at opening, and so is a Sentinel. Some services that speak the same
//! protocol have no scripts, and will not do. With the feature `cluster`, which is off by default, a URL may name several nodes,
//! `redis://one:7000,redis://two:7000`: those of a Redis Cluster, or a master and its replicas. A log of a cluster is on one of the nodes, and is followed
//! when it moves. While its slot moves Redis refuses some calls (`TRYAGAIN`): nothing was stored then.
//!
//! # What is kept, and where
//!
//! | key, for the log `prices` | what it holds |
//! |---|---|
//! | `sse:{prices}` | a stream: its entries are the events, and the id of an entry is the position of an event |
//! | `sse:{prices}:meta` | a hash: the epoch, the floor, the newest position, whether the log is finished, how many events and bytes, how many deletions, the time of the log |
//! | `sse:{prices}:keys` | a hash: which event is the newest of a key |
//! | `sse:{prices}:once` | a hash: where the event of an idempotency key is |
//!
//! The braces are part of the keys: they are one hash tag, so that a cluster keeps the keys together. [`EngineOptions::prefix`] is what they begin with instead of
//! `sse`. Whatever is written is written by a script, and so at once or not at all. Followers are woken by a message on the sharded channel `sse:{prices}`.
//!
//! # What Redis promises
//!
//! [`append`](EventLog::append) returns once Redis has answered. What it has answered for outlives
//!
//! - the end of this process, always;
//! - a `kill -9` of Redis where it has `appendonly yes`: the file was handed to the operating system. (With `appendfsync everysec`, the default then,
//!   a disk that is too slow can have it lag for up to 2 s.) Redis persists nothing between snapshots unless `appendonly yes`, and that is off by default;
//! - the loss of the machine's power only with `appendfsync always` besides; `everysec` may lose a second or two;
//! - the loss of the machine only where a replica had it already: replication is asynchronous.
//!
//! # What happens when (November 2026)
//!
//! | what happens | what becomes of the log |
//! |---|---|
//! | a failover to a replica that had everything (Sentinel, or by hand; both nodes in the URL) | it goes on, within a second after the promotion |
//! | a failover to a replica that lacks the newest events | a new epoch, if a process runs that knew them; clients are told of a gap |
//! | a master that is demoted, and serves stale data meanwhile | it is neither read nor followed: the next node of the URL is used, or calls fail |
//! | another server, or another history, behind a connection that stays | it is asked once a second which server it is; followers begin again, and look for what is lost |
//! | `FLUSHALL`, `DEL`, an evicted or an older stream in the place of this one | a new epoch, before anything else is done, also if no process ran |
//! | an older snapshot or append-only file is restored, or a replica promoted, while no process runs | nobody can tell: ids would be given again. Call [`EventLog::new_epoch`] |
//! | `XTRIM` by somebody else | a gap for whoever was before it; the bytes that are left are counted again |
//! | an entry that somebody else adds | it is passed over |
//! | `maxmemory` is reached, a full disk | appends are refused, and nothing was stored; retention, deletion and reading go on |
//! | `maxmemory` with a policy `allkeys-…` | the log is not opened. If the user may not read it (`INFO`) it is a warning |
//! | the server's clock jumps | nothing: ages and idempotency windows go by the time that processes have seen pass. Time that passes while no process runs counts as the clock says |
//! | a slow line | fewer events are asked for at a time, at last one; one that is on its way is waited for, up to 5 minutes |
//!
//! # Limits
//!
//! - `events` and `bytes` hold at any moment: an append drops what is over in the same script, at most twice as many events or bytes as it adds (and no more
//!   than 4 MiB if it adds less than 2 MiB). An event is kept for its `age` and up to a 64th more.
//! - An append has at most 100 000 events and 256 MiB, since Redis does nothing else meanwhile.
//! - An idempotency key is remembered for its window, while no more than `events` further keys came, in this epoch.
//! - A user of its own (`ACL SETUSER`) needs the keys `~sse:*`, to write as well as to read, the channels `&sse:*`, and the commands `EVALSHA`, `SCRIPT LOAD`,
//!   `EXISTS`, `HDEL`, `HGET`, `HLEN`, `HMGET`, `HSCAN`, `HSET`, `PING`, `SPUBLISH`, `SSUBSCRIBE`, `SUNSUBSCRIBE`, `TIME`, `XADD`, `XDEL`, `XINFO`, `XLEN`,
//!   `XRANGE`, `XREVRANGE`, `XTRIM`; `INFO` to notice another server and eviction; `SCAN` (and `CLUSTER`) for [`Engine::logs`]. An append that needs a command
//!   that the user may not run is refused whole.
//!
//! # Costs
//!
//! An engine has at most six connections to a server: one for small calls, four for pages and large batches, one for messages. A large page of one log so
//! holds up no append of another. A script does: Redis runs one at a time, and each of ours looks at 4 MiB at most, but for an append. A log that is idle asks
//! for nothing by itself. A keyed event removes the one before it (`XDEL`), whose memory Redis sets free together with its neighbours': at worst, a key takes 4 kB.
//!
//! # TLS
//!
//! With the feature `tls`, which is off by default, a URL may be `rediss://`. The server's certificate is checked against those that the system trusts
//! (or the file that `SSL_CERT_FILE` names), which are read once in a process. A build with it makes rustls's `ring` the process's default provider of cryptography, unless the
//! application has installed one before.
#![forbid(unsafe_code)]

mod admin;
mod append;
mod bounds;
mod clock;
mod coming;
mod engine;
mod failure;
mod follow;
mod greeting;
mod hub;
mod logs;
mod name;
mod node;
mod nodes;
mod options;
mod pace;
mod read;
mod request;
mod retain;
mod route;
mod script;
mod server;
mod shared;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod wire;

pub use engine::Engine;
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};
pub use store::RedisStore;

use std::sync::Arc;

use sse_core::Timer;

/// Returns the engine at this URL. It connects when it is first used.
///
/// `url` is `redis://[user:password@]host[:port][/database]`, `rediss://` with the feature `tls`, or `unix:///path`; what of a user or a password
/// is no letter or digit is percent-encoded (a comma as `%2C`).
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL is invalid, if the prefix has braces, or if the URL wants a feature that is off: `rediss://` the
/// feature `tls`, several nodes the feature `cluster`.
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    Ok(Engine::new(url, options)?)
}

/// Opens the log of this name with default options: [`connect`] and [`Engine::open`] in one. Logs that are opened so with the same URL and
/// the same [`EngineOptions`], in the same runtime, share an engine.
///
/// # Errors
///
/// As for [`connect`] and [`Engine::open`].
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
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
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    store: StoreOptions,
) -> Result<EventLog, Error> {
    shared::engine(url, engine)?.open(name, store).await
}

/// Opens the log of a store, with the options that the store was given, and follows it.
///
/// # Errors
///
/// As for [`Engine::open`].
///
/// # Cancel safety
///
/// As for [`Engine::open`].
pub async fn open_store(store: RedisStore) -> Result<EventLog, Error> {
    let (options, route) = (store.0.options, Arc::clone(&store.0.route));
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    route.server().check_memory().await?;
    tokio::spawn(follower);
    Ok(log)
}
