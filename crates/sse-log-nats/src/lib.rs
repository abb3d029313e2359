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
//! It needs nats-server 2.10 or newer, with JetStream (`-js`). An older server is refused: it skips events for readers while others are replaced or dropped.
//!
//! # Many logs
//!
//! Logs of one [`Engine`] share its connections. [`open`] shares an engine by itself if the URL is the same.
//!
//! ```no_run
//! use sse_log_nats::{EngineOptions, Error, StoreOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let nats = sse_log_nats::connect("nats://127.0.0.1:4222", EngineOptions::default()).await?;
//! let log = nats.open("prices", StoreOptions { events: 10_000, ..StoreOptions::default() }).await?;
//! assert_eq!(nats.logs().await?[0].as_str(), "prices");
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept, and where
//!
//! The events are the messages of one stream, `SSE_{name}`, on the subjects `sse.{name}.>`: one message for each call of
//! [`append`](EventLog::append), so that a batch is stored whole or not at all. The epoch, the floor and what was deleted are a record in the stream
//! `SSE-META`, which all logs share. [`EngineOptions::prefix`] names them otherwise. A position is `message-part`: how many messages lie wholly behind it, and how many
//! events of the next one.
//!
//! | subject | message |
//! |---|---|
//! | `sse.{name}.e` | one event: the payload is its block |
//! | `sse.{name}.k.{key}` | one event of this key; it removes the one before it (`Nats-Rollup`) |
//! | `sse.{name}.m.batch.{n}` | `n` events that were appended at once |
//! | `sse.{name}.m.note` | no event: the batch that an idempotency key was claimed for |
//! | `sse.{name}.m.ask` | never stored: a question about an idempotency key. The stream of a finished log takes no other |
//!
//! The stream is created without limits, and the log drops old events itself: limits that the server applies cannot be told from
//! events that were replaced or deleted, and each of those would be a gap. If limits are set on the stream all the same, what is
//! missing at its beginning counts as a gap; with `max_msgs_per_subject`, which makes holes, every call fails. What is removed by hand
//! (`nats stream purge`, `nats stream rmm`) is not noticed: call [`EventLog::new_epoch`] then.
//!
//! A reader takes no hole in the numbers of messages on trust. Each is looked into once, in the stream itself, before the events behind it are given.
//!
//! # Retention
//!
//! A log has at no moment more than twice [`StoreOptions::events`] and 1000 events, or than twice [`StoreOptions::bytes`], and what other processes have on their way.
//! A process that appends drops old events once 1000 are too many, or an eighth of the bytes. Appends wait, for at most [`StoreOptions::store_timeout`], if
//! they are faster than that. Keys and idempotency keys count as bytes, too. Ages go by the clock of the server: a clock that jumps ahead while a process runs makes no event
//! old.
//!
//! # What NATS promises
//!
//! [`append`](EventLog::append) returns once the server has acknowledged the message. What it has acknowledged outlives
//!
//! - the end of this process, always;
//! - a `kill -9` of the server: it has handed the message to the operating system;
//! - the loss of the machine's power only after the next `fsync`, which is every two minutes (`sync_interval`), or if
//!   [`EngineOptions::replicas`] has it on other machines.
//!
//! # What happens when (November 2026)
//!
//! With nats-server 2.10.26 and 2.15.1:
//!
//! | event | effect |
//! |---|---|
//! | the stream was deleted | it is created again, in a new epoch |
//! | the server lost its newest events (loss of power) | a new epoch begins: while a process runs that knew them, at once; else when the log is opened, if the record is newer than what is left. The record knows the newest event when old events are dropped, and at most about 10 s later |
//! | `SSE_{name}` was restored without `SSE-META`, or is older | a new epoch begins when the log is opened |
//! | both were restored under a running process | a new epoch begins within 2 s of its reconnection |
//! | both were restored, and no process runs that knew what is lost | nothing shows it: call [`EventLog::new_epoch`] |
//! | the leader of a cluster moves | followers begin again, and the newest event is compared |
//! | the disk, or the account's room, is full | appends fail, and say so; old events cannot be dropped until the server has room for the record |
//! | the server's clock jumps ahead | the server forgets the idempotency keys of its window; nothing grows too old |
//! | a slow line | a follower asks for 16 KiB to 1 MiB at a time, as the line takes it; a single larger event needs [`StoreOptions::store_timeout`] enough to come |
//! | a call has no answer in time | the next call takes a new connection |
//!
//! # Idempotency
//!
//! Within the window the answer is that of the first call, also after the event was trimmed, deleted or superseded, and after the log was finished. In a new epoch it is stored again. The server
//! knows keys by its messages: if it is restarted, it forgets within the window the keys of events that were appended alone and are gone from it.
//!
//! # Limits
//!
//! - An event, or a batch, is at most what the server takes in one message: its `max_payload`, 1 MiB by default, less a few bytes. Larger ones
//!   are refused with an error that says so. A batch has at most 10 000 idempotency keys.
//! - An idempotency window is fixed when the log is created, as the `duplicate_window` of its stream: 100 ms at least.
//! - [`delete`](EventLog::delete) overwrites an event that was appended alone. One that was appended with others is hidden from every reader at once,
//!   and its bytes stay on the server until retention drops the whole batch or its last event is deleted. Up to 10 000 can be hidden at a time; then
//!   it fails. The record has them, and is read with each page.
//! - An event with a key that was appended with others is superseded in what readers get, and takes its room until retention drops it.
//! - [`EngineOptions::replicas`]: a cluster is not tested here, other than by answers that are made up. `SSE-META` has the replicas of the log that was created
//!   first: if that had fewer, raise them (`nats stream edit SSE-META --replicas 3`).
//!
//! # Costs
//!
//! An engine has a connection for calls, one for pages, and one to follow on for 256 logs, four at most. It asks the server once a second. A page of old events costs a consumer,
//! which is about 2 ms, and a small call for each run of superseded events in it, once. A follower is a consumer of its own, with up to 2 MiB on their way. Idempotency keys of a batch cost a
//! small message each, 64 at a time, which is dropped a minute after the window.
//!
//! # A user's permissions
//!
//! An engine needs no more than this, with its prefix in the place of `sse` and `SSE`, and for a log alone its name in the place of `*`:
//!
//! publish: ["sse.>", "sse-meta.*", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*", "$JS.API.STREAM.PURGE.*", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.MSG.DELETE.*", "$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DELETE.*.*", "$JS.API.CONSUMER.MSG.NEXT.*.*"]
//!
//! subscribe: ["_INBOX.>", "sse-meta.*"]
//!
//! `$JS.{domain}.API` takes the place of `$JS.API` with an [`EngineOptions::domain`].
//!
//! # TLS
//!
//! The certificate of a `tls://` server, and of any that asks for TLS, is checked against those that the system trusts (or the file that `SSL_CERT_FILE` names). rustls's `ring` becomes the
//! process's default provider of cryptography, unless the application has installed one before. For other certificates, a client's own, an nkey or
//! a JWT, give [`ConnectOptions`] to [`connect_with`]; the last two need the feature `nkeys` of
//! `async-nats`, which the application turns on by depending on it.
#![forbid(unsafe_code)]

mod admission;
mod append;
mod batch_codec;
mod before_last;
mod bounds;
mod clock;
mod connection;
mod consumer;
mod control;
mod core;
mod engine;
mod error;
mod follow;
mod holes;
mod idempotency;
mod jetstream;
mod lookup;
mod message;
mod names;
mod open;
mod options;
mod partial_batches;
mod position;
mod publish;
mod pull_size;
mod read;
mod record;
mod retain;
mod store;
mod tally;
mod view;

pub use crate::core::NatsStore;
#[doc(no_inline)]
pub use async_nats::ConnectOptions;
pub use engine::{Engine, connect, connect_with};
pub use open::{open, open_store, open_with};
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};
