//! An event log in one file: durable server-sent events on one machine, without a server beside the application.
//!
//! ```
//! # futures_executor::block_on(async {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("events.redb");
//! let log = sse_log_redb::open(&path, "prices").await?;
//! let id = log.append("12.50").await?;
//! assert_eq!(log.get(&id).await?.to_event().data.as_deref(), Some("12.50"));
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok::<(), sse_log_redb::Error>(())
//! # }).expect("a file in a temporary folder can be written");
//! ```
//!
//! One process at a time has the file: [redb] refuses a second one with an error that says so. If many processes append or read, take
//! `sse-log-redis`, `sse-log-nats` or `sse-log-postgres`. While a deploy replaces the process, set [`EngineOptions::connect_timeout`] to the time that
//! the old one takes to end, and the new one waits for it. It needs no runtime.
//!
//! # What is kept, and where
//!
//! A file holds logs by their names: [`connect`] opens it, and [`Engine::open`] a log of it. All logs of a file share a writer thread, so that the appends
//! to all of them that come at the same time are one transaction and wait for the disk once. The last handle closes the file, a moment after
//! it was dropped ([`closed`] waits for that).
//!
//! | table of redb | what it holds |
//! |---|---|
//! | `{name}/events` | the events by their numbers: when they were stored, their key, their blocks. Those of one transaction share rows of up to 16 KiB, unless they have keys |
//! | `{name}/keys` | which event is the newest of a key |
//! | `{name}/once`, `{name}/once-order` | idempotency keys, by themselves and in the order in which they came |
//! | `heads` | each log's epoch, its newest number and its floor; how many events, how many bytes, how many deletions, whether it is finished |
//! | `earlier-epochs` | the newest number of each log when its epoch began |
//! | `sse-log` | the format of the file, how many transactions there were, its clock, and by what it knows itself again |
//!
//! Beside it is `{file}.reserve`, of 1 MiB: room for a full disk, and a note of how far the file has come.
//!
//! # What redb promises
//!
//! [`append`](EventLog::append) returns once the event is on the disk (`fsync`), with all events before it. So it outlives
//! the end of this process, a `kill -9`, and a loss of power. After these two redb repairs the file as it opens it. If nothing was written in the last second before, that takes no time; otherwise redb reads the whole file, some seconds for a gigabyte. The same holds for a process that ends before it has [`closed`] the file.
//!
//! **A full disk.** `append` is an error that says so, and nothing was stored; reading goes on. Deleting events and lowering the limits goes on,
//! too, with what is in reserve, and makes room: the next appends go well. If the limits fit on the disk, a log does not fill it.
//!
//! **A file that is replaced or removed while it is open.** The process looks at the file's device and inode before each transaction, and each second.
//! An append then fails with an error that says so, and nothing is written to the file that was open. If another file has its name, the log goes on in
//! that, under a new epoch: clients are told of a gap within two seconds. If there is none, the log waits for the file, and makes no other.
//!
//! **A damaged file** is an error if redb notices it; [`EngineOptions::check_on_open`] has it notice everything.
//!
//! **A clock that jumps.** The system's clock is read when the file is opened, and never again: ages then go by the process's own clock. A clock that is
//! behind the file is not believed; of the time in which no process had the file open at most a day counts. An idempotency key is forgotten when
//! its window has passed since it was stored, or since the file was opened.
//!
//! # What happens when (November 2026)
//!
//! Copy a file while no process has it open, and without the file `.reserve`. A file remembers its inode and when it was made: a copy is another file, so each of its
//! logs begins a new epoch when it is first opened, and clients are told of a gap. The reserve tells a copy that was written over the file itself. A file that is
//! renamed on its disk stays what it is. Only one way of going back leaves no sign: the whole disk, from a snapshot. Call
//! [`EventLog::new_epoch`] then.
//!
//! # Limits
//!
//! - Each append's own transaction drops what is over the limits, at most twice as many events as it adds; the rest, and what is too old, a retention
//!   that each log begins at opening and then from time to time. So a log has no more than its limits as soon as an append has returned, unless the limits were
//!   lowered. What is kept in bytes are the events' blocks; the file is larger.
//! - An append that has waited for four fifths of [`StoreOptions::store_timeout`] for its turn fails, and is not stored.
//! - What [`EventLog::delete`] or retention removes can be read no more. What retention drops stays in its row until the last event there goes.
//!   Other bytes stay in the file's free pages until these are used again, by the next appends as a rule. [`compact`] writes what is kept again, and gives the free pages back to the file system: the bytes are gone from
//!   the file then. If they must be gone from the disk, too, encrypt it: no file system promises that.
//!
//! # Costs
//!
//! A file has six threads, whatever the number of its logs: one writes, two read, two follow, one waits. Futures only wait for them, so that no call blocks
//! an executor, whichever it is. Requests wait in queues of bounded length (1024 requests, 16 MiB): an append that finds it full waits its turn. A transaction
//! has at most 1024 requests, and 1 MiB unless one event is larger. Before it begins the writer waits until as many requests have come as may be expected, for at most a quarter of
//! the time that the last one took.
//!
//! A file is larger than its events: by a quarter if they are small, up to twice if they are of about a kilobyte.
//!
//! [redb]: https://docs.rs/redb
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

mod append;
mod bounds;
mod clock;
mod commit;
mod control;
mod core;
mod database;
mod engine;
mod error;
mod events;
mod follow;
mod follower_queue;
mod format;
mod idempotency;
mod identity;
mod log_tables;
mod names;
mod open_database;
mod open_files;
mod open_logs;
mod options;
mod position;
mod read;
mod reserve;
mod retain;
mod store;
mod tables;
mod threads;
mod timer;
mod transaction;
mod write_queue;
mod write_request;
mod writer;

pub use crate::core::RedbStore;
pub use engine::Engine;
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};

/// Opens a file of logs, and creates it if it is missing; the folder must be there. A file that this process has open already is shared, and its
/// options stay as they are.
///
/// ```
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("events.redb");
/// use sse_log_redb::{EngineOptions, StoreOptions};
///
/// let redb = sse_log_redb::connect(&path, EngineOptions::default()).await?;
/// let prices = redb.open("prices", StoreOptions::default()).await?;
/// let news = redb.open("news", StoreOptions { events: 1000, ..StoreOptions::default() }).await?;
/// assert_eq!(redb.logs().await?.len(), 2);
/// # Ok::<(), sse_log_redb::Error>(())
/// # }).expect("a file in a temporary folder can be written");
/// ```
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the file is open in another process, cannot be read or written, or is not one of this library's; the `source`
/// says which.
///
/// # Cancel safety
///
/// The file may have been created.
pub async fn connect(path: impl AsRef<Path>, options: EngineOptions) -> Result<Engine, Error> {
    Engine::open_file(path.as_ref(), &options).await
}

/// Opens the log of this name in this file, with default options. The file and the log are created if they are missing; the folder must be there.
///
/// A name has 1 to 64 of `[A-Za-z0-9_-]`.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the name is invalid, or for what [`connect`] refuses.
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(path: impl AsRef<Path>, name: &str) -> Result<EventLog, Error> {
    open_with(path, name, EngineOptions::default(), StoreOptions::default()).await
}

/// Does what [`open`] does, with options. While another process has the file open it waits for the longer one of [`EngineOptions::connect_timeout`] and
/// [`StoreOptions::store_wait`].
///
/// # Errors
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_with(
    path: impl AsRef<Path>,
    name: &str,
    engine: EngineOptions,
    store: StoreOptions,
) -> Result<EventLog, Error> {
    let connect_timeout = engine.connect_timeout.max(store.store_wait);
    connect(path, EngineOptions { connect_timeout, ..engine }).await?.open(name, store).await
}

/// Returns a log over a store of [`Engine::store`], with the options that the store was given.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// It changes nothing.
pub async fn open_store(store: RedbStore) -> Result<EventLog, Error> {
    engine::open_log(store).await
}

/// Waits for at most this long until this process has closed the file, and returns whether it has. It closes a file once every log, store and engine of
/// it has been dropped.
///
/// A process that ends before that is like one that was killed: redb repairs the file when it is opened next, which takes no time if nothing was
/// written in the last second.
///
/// ```
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("events.redb");
/// # use std::time::Duration;
/// let log = sse_log_redb::open(&path, "prices").await?;
/// assert!(!sse_log_redb::closed(&path, Duration::ZERO).await?);
/// drop(log);
/// assert!(sse_log_redb::closed(&path, Duration::from_secs(5)).await?);
/// # Ok::<(), sse_log_redb::Error>(())
/// # }).expect("a file in a temporary folder can be written");
/// ```
///
/// # Errors
///
/// [`is_store`](Error::is_store) if there can be no thread to wait in.
///
/// # Cancel safety
///
/// It changes nothing.
pub async fn closed(path: impl AsRef<Path>, at_most: Duration) -> Result<bool, Error> {
    Ok(open_files::closed(path.as_ref(), at_most).await?)
}

/// Gives the pages of a file that hold nothing any more back to the file system, and returns whether there were any.
///
/// It moves what is kept together first, which takes longer than copying it: 8 s for 2 GB. **Nothing is read or written until then**, in any log of
/// the file: streams stand still, and an append that takes longer than [`StoreOptions::store_timeout`] (default: 5 s) has an unknown outcome. Call
/// it when nobody appends. The file may be open in this process.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// It goes on in its thread.
pub async fn compact(path: impl AsRef<Path>) -> Result<bool, Error> {
    let file = open_files::open(path.as_ref(), &EngineOptions::default()).await?;
    Ok(file.compact().await?)
}
