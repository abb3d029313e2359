//! An event log over NATS JetStream: many processes append to it, many serve it, and a client resumes in any of them.
//!
//! ```no_run
//! use sse_log_nats::Error;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let log = sse_log_nats::open("nats://127.0.0.1:4222", "prices").await?;
//! let id = log.append("12.50").await?;
//! assert_eq!(log.get(&id).await?.to_event().data.as_deref(), Some("12.50"));
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok(())
//! # }
//! ```
//!
//! It wants nats-server 2.9 or later, with JetStream (`-js`).
//!
//! # What is kept, and where
//!
//! The events are the messages of one stream, `SSE_{name}`, on the subjects `sse.{name}.>`: one message for each call of
//! [`append`](EventLog::append), so that a batch is stored whole or not at all. The epoch, the floor and what was deleted are a record in the stream
//! `SSE-META`, which all logs share. [`Options::prefix`] names them otherwise. A position is `message-part`: how many messages lie wholly behind it, and how many
//! events of the next one.
//!
//! | subject | message |
//! |---|---|
//! | `sse.{name}.e` | one event: the payload is its block |
//! | `sse.{name}.k.{key}` | one event of this key; it removes the one before it (`Nats-Rollup`) |
//! | `sse.{name}.m.batch.{n}` | `n` events that were appended at once |
//! | `sse.{name}.m.note` | no event: who stores an idempotency key as part of a batch |
//!
//! The stream is created without limits, and the log lets go of old events itself: limits that the server applies cannot be told from
//! events that were replaced or deleted, and each of those would be a gap. Where somebody gives the stream limits all the same, what is
//! missing at its beginning counts as a gap, and with `max_msgs_per_subject`, which makes holes, every call fails. What somebody removes by hand
//! (`nats stream purge`, `nats stream rmm`) is not noticed: call [`EventLog::new_epoch`] then.
//!
//! # What NATS promises
//!
//! [`append`](EventLog::append) returns once the server has acknowledged the message. What it has acknowledged outlives
//!
//! - the end of this process, always;
//! - a `kill -9` of the server: it has handed the message to the operating system;
//! - the loss of the machine's power only after the next `fsync`, which is every two minutes (`sync_interval`), or where
//!   [`Options::replicas`] has it on other machines. What was lost is noticed: while a process that knew it runs, a new epoch begins, and clients are
//!   told of a gap.
//!
//! A stream that was deleted, and created anew, is a new epoch. Processes that run look for it every [`StoreOptions::store_check`], a second by default, and
//! with each append.
//!
//! # Restoring a backup
//!
//! Restore `SSE_{name}` and `SSE-META` together. Where the record is newer than the events a new epoch begins as the log is opened, and clients are told of
//! a gap. Where both are old, and no process runs that knew what is lost, nobody could notice, and ids would be given anew: call [`EventLog::new_epoch`].
//!
//! # Limits
//!
//! - An event, or a batch, is at most what the server takes in one message: its `max_payload`, 1 MiB by default, less a few bytes. Larger ones
//!   are refused with an error that says so. A batch has at most 10 000 idempotency keys.
//! - An idempotency window is fixed when the log is created, as the `duplicate_window` of its stream: 100 ms at least.
//! - [`delete`](EventLog::delete) overwrites an event that was appended alone. One that was appended with others is hidden from every reader at once,
//!   and its bytes stay on the server until retention lets go of the whole batch or its last event is deleted. Up to 10 000 can be hidden at a time; then
//!   it fails.
//! - An event with a key that was appended with others is superseded in what readers get, and takes its room until retention lets go of it.
//! - [`Options::replicas`]: a cluster is not tested here, other than by answers that are made up. With three servers of version 2.9.10 that were killed
//!   in turn, NATS's own replicas came to differ in three of five tries (the same event had other numbers on each), and clients got events twice or not at all:
//!   take a newer version, and try that yourself. `SSE-META` has the replicas of the log that was created first: where that had fewer, raise
//!   them (`nats stream edit SSE-META --replicas 3`).
//!
//! # Costs
//!
//! A process has one connection for a log. A page of old events costs a consumer, which is about 2 ms; streams of new events share one, with up to
//! 128 messages on their way. Idempotency keys of a batch cost a small message each, 64 at a time, which is let go of a minute after the window.
//!
//! # TLS
//!
//! The certificate of a `tls://` server is checked against those that the system trusts (or the file that `SSL_CERT_FILE` names). That makes rustls's `ring` the
//! process's default provider of cryptography, unless the application has installed one before. For other certificates, a client's own, an nkey or
//! a JWT, give [`ConnectOptions`] to [`NatsStore::connect_with`], and its store to [`open_store`]; the last two want the feature `nkeys` of
//! `async-nats`, which the application turns on by depending on it.
#![forbid(unsafe_code)]

mod admin;
mod api;
mod append;
mod batch;
mod before_last;
mod begun;
mod bounds;
mod changes;
mod clock;
mod connection;
mod consumer;
mod credit;
mod delivery;
mod dial;
mod engine;
mod excess;
mod failure;
mod follow;
mod get;
mod holes;
mod keeping;
mod lines;
mod link;
mod message;
mod name;
mod once;
mod once_batch;
mod options;
mod publish;
mod purge;
mod read;
mod record;
mod retain;
mod store;
mod watch;

#[doc(no_inline)]
pub use async_nats::ConnectOptions;
pub use engine::Engine;
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};
pub use store::NatsStore;

use sse_core::Timer;

/// Returns the engine of this URL, whose logs share its connections. It connects when a log is first used.
///
/// `url` is `nats://[user:password@]host[:port]`, `nats://token@…`, `tls://…`, or several of one cluster with commas between them, each with its own user.
/// Special characters in a URL are percent-encoded.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL, the prefix or the domain is invalid.
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    connect_with(url, connect_options(), options).await
}

/// The same, with connections that are made like this: with certificates, say, or [an nkey or a JWT](crate#tls).
///
/// The timeouts, the interval of pings, the reconnection and the event callback are replaced by the engine's own. The options must not be
/// `retry_on_initial_connect` or `no_echo`.
///
/// # Errors
///
/// As for [`connect`].
///
/// # Cancel safety
///
/// As for [`connect`].
pub async fn connect_with(
    url: &str,
    connect: ConnectOptions,
    options: EngineOptions,
) -> Result<Engine, Error> {
    Engine::new(url, connect, options)
}

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is as for [`connect`]; logs that are opened with the same URL in one runtime share an [`Engine`]. The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime,
/// which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL or the name is invalid, if NATS cannot be reached, if it is older than 2.10, and if it has no JetStream.
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// The same, with these options; logs share an [`Engine`] if its options are equal, too. With a [`StoreOptions::store_wait`] it waits for a NATS that is
/// down.
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
    options: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::shared(url, engine)?.open(name, options).await
}

/// The same, of a store of an [`Engine`], with the options that it was given.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: NatsStore) -> Result<EventLog, Error> {
    let (timer, options) = (
        Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep),
        store.0.options,
    );
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}

fn connect_options() -> ConnectOptions {
    ConnectOptions::new().name("sse-log-nats")
}
