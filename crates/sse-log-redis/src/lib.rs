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
//! Logs that [`open`] opens share an [`Engine`] if their URLs and options are equal. [`connect`] returns an engine, which opens logs and lists
//! the names of those it keeps.
//!
//! The crate requires Redis 7.0 or later, or Valkey 7.2 or later. Opening a log fails at an older server, and at a Sentinel. A service that
//! speaks the same protocol but has no scripts does not work. With the feature `cluster`, which is off by default, a URL may name several nodes,
//! `redis://one:7000,redis://two:7000`: those of a Redis Cluster, or a master and its replicas. A cluster keeps a log on one node; if the log
//! moves, calls and followers go to its new node. While its slot moves, Redis refuses some calls (`TRYAGAIN`): such a call has stored nothing.
//!
//! # What is kept, and where
//!
//! | key, for the log `prices` | what it holds |
//! |---|---|
//! | `sse:{prices}` | a stream: its entries are the events, and the id of an entry is the position of an event |
//! | `sse:{prices}:meta` | a hash: the epoch, the floor, the newest position, whether the log is finished, the number of events, bytes and deletions, the time of the log |
//! | `sse:{prices}:keys` | a hash: the newest event of each key |
//! | `sse:{prices}:once` | a hash: the position of the event of each idempotency key |
//! | `sse:{prices}:topics` | a hash: the newest positions of each topic |
//! | `sse:{prices}:chunks` | a sorted set: the positions of each topic before those |
//!
//! The braces are part of the keys: they are one hash tag, so that a cluster keeps the keys together. If [`EngineOptions::prefix`] is set, the
//! keys begin with it instead of `sse`. Only scripts write, so that Redis does all of a write or nothing. A message on the sharded channel
//! `sse:{prices}` wakes the followers.
//!
//! The keys are in format 1 until the first event that has topics, and then in format 2. A version that knows only format 1 refuses a log of
//! format 2: it would give events with topics to everybody. Upgrade all processes before the first event with topics.
//!
//! # What Redis promises
//!
//! [`append`](EventLog::append) returns after Redis has confirmed the events. A confirmed event survives
//!
//! - the end of this process, always;
//! - a `kill -9` of Redis, if it has `appendonly yes`: Redis has then handed the file to the operating system. (With `appendfsync everysec`, the
//!   default then, a disk that is too slow can delay this by up to 2 s.) `appendonly` is off by default, and without it Redis persists nothing between snapshots;
//! - a power failure of the machine, if Redis also has `appendfsync always`; with `everysec` it may lose a second or two;
//! - the loss of the machine, if a replica had the event already: replication is asynchronous.
//!
//! # What happens when (November 2026)
//!
//! | what happens | effect on the log |
//! |---|---|
//! | a failover to a replica that had everything (Sentinel, or by hand; both nodes in the URL) | the log continues within 1 s after the promotion |
//! | a failover to a replica that lacks the newest events | if a running process knew those events, a new epoch begins and clients get a gap |
//! | a master is demoted, and serves stale data meanwhile | the crate neither reads nor follows it: it uses the next node of the URL, or calls fail |
//! | another server, or another history, replaces the one behind an open connection | the engine checks the server's identity once a second; followers begin again and detect lost events |
//! | `FLUSHALL`, `DEL` or eviction removes the stream, or an older stream replaces it | a new epoch begins before any other operation, also if no process ran |
//! | an older snapshot or append-only file is restored, or a replica promoted, while no process runs | the crate cannot detect it, and Redis would give ids a second time. Call [`EventLog::new_epoch`] |
//! | another program trims the stream (`XTRIM`) | a reader before the trimmed events gets a gap, and the log counts its bytes again |
//! | another program adds an entry | the log skips the entry |
//! | another program deletes `sse:{prices}:topics` or `:chunks`, or a lost stream comes back in part | streams of topics read the older events from the log, which takes longer |
//! | `maxmemory` is reached, or the disk is full | Redis refuses appends, and such an append has stored nothing; retention, deletion and reading continue |
//! | `maxmemory` with a policy `allkeys-…` | opening the log fails. If the user may not read the policy (`INFO`), the crate logs a warning |
//! | the server's clock jumps | no effect: ages and idempotency windows use the time that processes have seen pass. If a process opens the log within seconds of the jump (5 minutes if nothing was appended), or while no other process runs, the server's clock counts. `Start::Since` goes by the times in the ids, and by the jumps that a process has noticed, of 5 s or more |
//! | a slow line | the crate requests fewer events at a time, at least 1; it waits up to 5 minutes for a single event that is arriving |
//!
//! # Limits
//!
//! - The log never exceeds `events` and `bytes`: an append drops the events over the limits in the same script, at most twice as many events or bytes as it adds
//!   (and at most 4 MiB if it adds less than 2 MiB). The log keeps an event for its `age` and up to a 64th more.
//! - An append has at most 100 000 events and 256 MiB: Redis does nothing else during it.
//! - The log remembers an idempotency key for its window, until more than `events` further keys came, in this epoch.
//! - A restricted user (`ACL SETUSER`) needs the keys `~sse:*`, to write as well as to read, the channels `&sse:*`, and the commands `EVALSHA`, `SCRIPT LOAD`,
//!   `EXISTS`, `HDEL`, `HGET`, `HLEN`, `HMGET`, `HSCAN`, `HSET`, `PING`, `SPUBLISH`, `SSUBSCRIBE`, `SUNSUBSCRIBE`, `TIME`, `UNLINK`, `XADD`, `XDEL`, `XINFO`, `XLEN`,
//!   `XRANGE`, `XREVRANGE`, `XTRIM`, `ZADD`, `ZRANGE`, `ZREM`, `ZREMRANGEBYLEX`; `INFO` to detect another server and eviction (without it a server that takes over with a clock that is behind may give the id of a lost event again, until the loss is noticed); `SCAN` (and `CLUSTER`, `INFO`) for [`Engine::logs`]. If an append needs a command
//!   that the user may not run, it fails and stores nothing.
//!
//! # Costs
//!
//! An engine has at most six connections to a server: one for small calls, four for pages and large batches, one for messages. So a large page of one log
//! does not delay an append to another. A script does: Redis runs one script at a time. Each script of this crate processes at most 4 MiB, except an append. An
//! idle log sends no requests. A keyed event removes the event before it (`XDEL`), whose memory Redis frees together with its neighbours': at worst, a key takes 4 kB.
//!
//! An append without topics runs the same commands as before there were topics, and writes the same bytes. A topic of an event costs the append
//! an `HGET` and an `HSET` (a batch: for each of its topics), and about 8 to 27 bytes of memory: 8 if the topic has many events. Every 64 events a topic needs one
//! `ZADD`. The first event with topics after events without any adds 16 bytes and another `HGET` and `HSET`. An append-only file and a
//! replica get up to 512 bytes for a topic, with its newest positions.
//!
//! A stream of topics that is behind the events in memory costs one script a page, an `XRANGE` for each event, about 5 us, and one call more for the
//! bounds. It does not read the events of other topics. If a stream has more than 16 topics, the crate reads a page of the log first, and uses
//! it if it ends the log or if an eighth of it passes.
//!
//! An event that is deleted or superseded leaves the index in the same script. Of the events that retention has dropped, at most 63 positions of a topic
//! remain, while the topic has an event. Events without topics are in the index as runs: those that are empty, since all their events
//! were superseded or deleted, remain until the next retention if there are more than 128 more runs than events. After another program has trimmed, the next
//! retention drops what is left.
//!
//! # TLS
//!
//! With the feature `tls`, which is off by default, a URL may be `rediss://`. The crate checks the server's certificate against those that the system trusts
//! (or those of the file that `SSL_CERT_FILE` names). A process reads them once. A build with the feature makes rustls's `ring` the process's default provider
//! of cryptography, unless the application has installed another before.
#![deny(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![forbid(unsafe_code)]

mod address;
mod append;
mod before_last;
mod before_since;
mod bounds;
mod calls;
mod clock;
mod connection;
mod control;
mod core;
mod engine;
mod error;
mod follow;
mod list_logs;
mod log_state;
mod names;
mod notifications;
mod options;
mod page_size;
mod pending_pages;
mod position;
mod read;
mod retain;
mod scripts;
mod server;
mod server_check;
mod servers;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod topic_index;
mod topics;

pub use crate::core::RedisStore;
pub use engine::{Engine, connect};
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};

use std::sync::Arc;

use sse_core::Timer;
use sse_core::store::LogName;

/// Opens the log of this name with default options: calls [`connect`] and [`Engine::open`]. The logs that it opens with the same URL and the
/// same [`EngineOptions`], in the same runtime, share an engine.
///
/// # Errors
///
/// If [`connect`] or [`Engine::open`] returns an error.
///
/// # Cancel safety
///
/// If it is dropped, the log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// Opens the log of this name with these options, like [`open`]. If [`StoreOptions::store_wait`] is set, it waits for a Redis that is down.
///
/// # Errors
///
/// If [`connect`] or [`Engine::open`] returns an error.
///
/// # Cancel safety
///
/// If it is dropped, the log may have been created.
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    store: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::shared(url, engine)?.open(name, store).await
}

/// Opens the log of a store with the options of that store, and follows the log.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if Redis cannot be reached within [`StoreOptions::store_wait`], or if the server cannot keep a log.
///
/// # Cancel safety
///
/// If it is dropped, the log may have been created.
pub async fn open_store(store: RedisStore) -> Result<EventLog, Error> {
    let (options, caller) = (store.0.options.clone(), Arc::clone(&store.0.caller));
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    caller.server().check_memory().await?;
    tokio::spawn(follower);
    Ok(log)
}

impl Engine {
    /// Opens the log of this name, and follows it: the streams of this process get what this and all other processes append.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime, which runs the follower for as long as the log is in use.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid, if Redis cannot be reached within [`StoreOptions::store_wait`], or if the server
    /// cannot keep a log.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the log may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_store(self.store(name, options).await?).await
    }

    /// Returns the store of this name. The store connects at its first call, so that it can wait for a Redis that is down.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, nothing has happened.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<RedisStore, Error> {
        Ok(RedisStore::new(&self.0, name, options)?)
    }

    /// Returns the names of the logs with this engine's prefix, in order. It scans all keys of the database.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if Redis cannot be reached, or refuses the scan.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        Ok(list_logs::list_logs(&self.0).await?)
    }
}
