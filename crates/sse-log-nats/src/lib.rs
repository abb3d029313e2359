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
//! It needs nats-server 2.10 or newer, with JetStream (`-js`). It refuses an older server, which skips events for readers while others are replaced or dropped.
//!
//! # Many logs
//!
//! The logs of one [`Engine`] share its connections. Logs that are opened with [`open`] share an engine if their URLs are equal.
//!
//! ```no_run
//! use sse_log_nats::{EngineOptions, Error, StoreOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let nats = sse_log_nats::connect("nats://127.0.0.1:4222", EngineOptions::default()).await?;
//! let log = nats.open("prices", StoreOptions::new().events(10_000)).await?;
//! assert_eq!(nats.logs().await?[0].as_str(), "prices");
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept, and where
//!
//! The events are the messages of one stream, `SSE_{name}`, on the subjects `sse.{name}.>`. Each call of [`append`](EventLog::append) stores one
//! message, so that a batch is stored whole or not at all. The epoch, the floor and the deletions are a record in the stream
//! `SSE-META`, which all logs share. [`EngineOptions::prefix`] replaces `sse` and `SSE`. A position is `message-part`. `5-0`: everything up to
//! message 5. `5-2`: everything up to message 5, and the first two events of message 6.
//!
//! | subject | message |
//! |---|---|
//! | `sse.{name}.e` | one event: the payload is its block |
//! | `sse.{name}.t.{topic}` | one event that has this topic alone |
//! | `sse.{name}.s` | one event of several topics, which are in the header `Sse-Topics` |
//! | `sse.{name}.k.{key}` | one event of this key, with its topics in the same header; it removes the event before it (`Nats-Rollup`) |
//! | `sse.{name}.m.batch.{n}` | `n` events that were appended at once, with their keys and topics |
//! | `sse.{name}.m.batch.last.{n}` | the same, by [`finish_with`](EventLog::finish_with): the log is to be finished after it |
//! | `sse.{name}.m.note` | no event: a note that names the batch for which an idempotency key was claimed |
//! | `sse.{name}.m.ask` | never stored: a request about an idempotency key. The stream of a finished log takes no other message |
//!
//! The stream is created without limits, and the log drops old events itself. If the server applied limits, a reader could not tell dropped events from
//! replaced or deleted ones, and each of those would be a gap. If an operator sets limits on the stream, readers get a gap for what is
//! missing at its beginning; with `max_msgs_per_subject`, which makes holes, every call fails. If an operator removes messages by hand
//! (`nats stream purge`, `nats stream rmm`), the log does not notice: call [`EventLog::new_epoch`] then.
//!
//! If the sequence of messages has a hole, a reader checks it once, in the stream itself, before it returns the events behind the hole.
//!
//! # Topics
//!
//! Append events of one topic each, without a key, one at a time: then the server's index of subjects is the index of topics, and a stream of topics that is behind reads only
//! its own events. Every stream of topics that is behind must look at all events that have several topics or a key, or that were appended in a batch.
//!
//! A page by topics first reads a page of the log. If an eighth of that page concerns the stream, or may concern it by its subject, the log is read page by page. Otherwise
//! the page costs a small request for each event and for each topic, 64 at a time: about 0.3 ms each, and 10 to 150 µs of the processor of the server, which scans a block of messages for the next of a topic. If these requests take longer
//! than half of [`StoreOptions::store_timeout`], as over a slow line, the log is read page by page, too.
//!
//! The server keeps the index with the messages: an entry is gone when its event is. An event of one topic takes as many bytes more as its topic has; characters other than
//! `[A-Za-z0-9_-]` take three. An event of several topics, or of topics and a key, takes 30 bytes more and its topics. Each topic takes about 0.9 kB of the server's memory as
//! long as it has an event. With 100 000 topics an append costs the server about 10 µs more.
//!
//! # Retention
//!
//! A log never has more than twice [`StoreOptions::events`] and 1000 events, or more than twice [`StoreOptions::bytes`], plus what other processes have on their way.
//! A process that appends drops old events once the log is 1000 events, or an eighth of the bytes, over its limits. If appends are faster than that, they wait for at most
//! [`StoreOptions::store_timeout`]. Keys, idempotency keys and topics count as bytes, too. Ages, also that of `Start::Since`, go by the clock of the server. If that clock jumps ahead while a process runs, no event becomes
//! old by the jump.
//!
//! # What NATS promises
//!
//! [`append`](EventLog::append) returns once the server has acknowledged the message. An acknowledged message survives
//!
//! - the end of this process, always;
//! - a `kill -9` of the server, which has handed the message to the operating system;
//! - a loss of the machine's power only after the next `fsync`, which comes every two minutes (`sync_interval`), or if other machines have the message
//!   ([`EngineOptions::replicas`]).
//!
//! # What happens when (November 2026)
//!
//! With nats-server 2.10.26 and 2.15.1:
//!
//! | event | effect |
//! |---|---|
//! | the stream was deleted | it is created again, in a new epoch |
//! | the server lost its newest events (loss of power) | a new epoch begins: at once if a process runs that knew those events; else when the log is opened, if the record is newer than the stream. The record has the newest event when old events are dropped, and at most about 10 s later |
//! | `SSE_{name}` was restored without `SSE-META`, or is older | a new epoch begins when the log is opened |
//! | both were restored under a running process | a new epoch begins within 2 s of its reconnection |
//! | both were restored, and no process runs that knew the lost events | the log does not notice: call [`EventLog::new_epoch`] |
//! | the leader of a cluster moves | followers start again, and compare the newest event |
//! | the disk, or the account's room, is full | appends fail with an error that says so; the log cannot drop old events until the server has room for the record |
//! | the server's clock jumps ahead | the server forgets the idempotency keys of its window; no event becomes too old |
//! | a slow line | a follower requests 16 KiB to 1 MiB at a time, depending on the line; a single larger event must arrive within [`StoreOptions::store_timeout`] |
//! | a call times out | the next call makes a new connection |
//!
//! # Idempotency
//!
//! Within the window an append with the same key returns the result of the first, also after the event was trimmed, deleted or superseded, and after the log was finished. In a new epoch it stores the event again. The server
//! takes the keys from its messages: if it restarts, it forgets within the window the keys of events that were appended alone and have since been removed.
//!
//! # The end of a log
//!
//! The end is a change of the stream's configuration. [`finish_with`](EventLog::finish_with) first stores the last events in one message that says that the log is to be
//! finished, and then finishes it, a few milliseconds later. Events that others append in between are acknowledged, stay, and are delivered before the end; several
//! processes that finish the log at the same time may all store their last events. If the process ends in between, another one finishes the log: one that opens it or
//! appends to it for the first time, at once; one that follows it, 1 to 2 s later. Earlier versions of this crate refuse such a log, since they would skip its last events.
//!
//! # Limits
//!
//! - An event or a batch has at most the size of one message: the server's `max_payload`, 1 MiB by default, less a few bytes. A larger one
//!   is refused with an error that says so. A batch has at most 10 000 idempotency keys.
//! - An idempotency window is at least 100 ms. It is fixed when the log is created, as the `duplicate_window` of its stream.
//! - [`delete`](EventLog::delete) overwrites an event that was appended alone. If it was appended with others, it is hidden from every reader at once,
//!   and its bytes stay on the server until retention drops the whole batch or its last event is deleted. At most 10 000 events are hidden at a time; then
//!   `delete` fails. The record lists them, and is read with each page.
//! - If an event with a key was appended with others and is superseded, readers no longer get it, but it takes its room until retention drops it.
//! - [`EngineOptions::replicas`]: the tests run no cluster, and only make up its answers. `SSE-META` has as many replicas as the log that was created
//!   first: if that had fewer, raise them (`nats stream edit SSE-META --replicas 3`).
//!
//! # Costs
//!
//! An engine has a connection for calls, one for pages, and one for each 256 followed logs, four of these at most. It sends the server one request a second. A page of old events costs a consumer,
//! which takes about 2 ms, and, once, a small call for each run of superseded events in it. A follower is a consumer of its own, with up to 2 MiB on their way. Each idempotency key of a batch costs a
//! small message, 64 at a time, which is dropped a minute after the window.
//!
//! # A user's permissions
//!
//! An engine needs no more than these permissions. Replace `sse` and `SSE` by its prefix, and, for one log alone, `*` by its name:
//!
//! publish: ["sse.>", "sse-meta.*", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*", "$JS.API.STREAM.PURGE.*", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.MSG.DELETE.*", "$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DELETE.*.*", "$JS.API.CONSUMER.MSG.NEXT.*.*"]
//!
//! subscribe: ["_INBOX.>", "sse-meta.*"]
//!
//! With an [`EngineOptions::domain`], replace `$JS.API` by `$JS.{domain}.API`.
//!
//! # TLS
//!
//! If the URL is `tls://`, or the server asks for TLS, its certificate must come from an authority that the system trusts (or that is in the file that `SSL_CERT_FILE` names). rustls's `ring` becomes the
//! process's default provider of cryptography, unless the application has installed one before. For other certificates, a client certificate, an nkey or
//! a JWT, give [`async_nats::ConnectOptions`] to [`connect_with`]; nkeys and JWTs need the feature `nkeys` of
//! `async-nats`, which the application turns on by depending on it.
#![deny(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![forbid(unsafe_code)]

mod admission;
mod append;
mod batch_codec;
mod before_last;
mod before_since;
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
mod last;
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
mod removed;
mod retain;
mod store;
mod tally;
mod topics;
mod view;

pub use crate::core::NatsStore;
#[doc(no_inline)]
pub use async_nats;
pub use engine::{Engine, connect, connect_with};
pub use open::{open, open_store, open_with};
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};
