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
//! It wants a file that it has alone: [redb] files have one process at a time, and a second is refused with an error that says so. Where many
//! processes append or read, take `sse-log-redis`, `sse-log-nats` or `sse-log-postgres`. While a deploy replaces the process, give
//! [`StoreOptions::store_wait`] the time that the old one takes to end, and the new one waits for it. It wants no runtime.
//!
//! # What is kept, and where
//!
//! A file holds logs by their names. Those of this process share a writer thread, so that the appends to all of them that come at the same time
//! are one transaction and wait for the disk once: fifty topics cost what one does. The last handle closes the file, a moment after it was dropped
//! ([`closed`] waits for that).
//!
//! | table of redb | what it holds |
//! |---|---|
//! | `{name}/events` | the events by their numbers: when each was stored, its key, its block |
//! | `{name}/keys` | which event is the newest of a key |
//! | `{name}/once`, `{name}/once-order` | idempotency keys, by themselves and in the order in which they came |
//! | `heads` | each log's epoch, its newest number and its floor; how many bytes, how many deletions, whether it is finished |
//! | `sse-log` | the format of the file, and how many transactions there were |
//!
//! # What redb promises
//!
//! [`append`](EventLog::append) returns once the event is on the disk (`fsync`), with all events before it. So it outlives
//!
//! - the end of this process, always;
//! - a `kill -9`, and a loss of power: the file is repaired as it is opened, which reads it whole, some seconds for a gigabyte. So it is where a
//!   process ends before it has [`closed`] the file.
//!
//! Where the disk is full `append` is an error that says so, reading goes on, and appending does once there is room. Where the disk is gone the
//! log waits for the file to be back, and begins no other in its place. A file that is none of ours, or is
//! damaged where redb notices that, is an error; [`Options::check_on_open`] has it notice everything.
//!
//! # Restoring a backup
//!
//! A file is copied while no process has it open. The ids of events that came after the copy was made would be given anew, to other events:
//! nobody could notice that, as nobody ran. So call [`EventLog::new_epoch`] after restoring a file; clients are then told of a gap.
//!
//! # Limits
//!
//! - Whoever opens a file first in a process decides [`Options::cache_bytes`] and [`Options::check_on_open`] for all its logs; [`compact`] does so with
//!   the defaults.
//! - Whatever [`EventLog::delete`] or retention removes can be read no more. Its bytes stay in the file's free pages until these are used again,
//!   by the next appends as a rule. [`compact`] writes what is kept anew, and gives the free pages back to the file system: the bytes are gone from
//!   the file then. Where they must be gone from the disk, too, encrypt it: no file system promises that.
//!
//! # Costs
//!
//! A file has three threads (one writes, two read), and a log one more, which follows it. Futures only wait for them, so that no call blocks
//! an executor, whichever it is. Requests wait in queues of bounded length: an append that finds it full waits its turn.
//!
//! A file is larger than its events: by a quarter where they are small, up to twice where they are of about a kilobyte.
//!
//! [redb]: https://docs.rs/redb
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

mod admin;
mod adopt;
mod append;
mod beside;
mod bounds;
mod clock;
mod create;
mod database;
mod engine;
mod failure;
mod file;
mod follow;
mod given;
mod identity;
mod known;
mod name;
mod once;
mod open_files;
mod opening;
mod options;
mod queue;
mod read;
mod retain;
mod store;
mod tables;
mod transaction;
mod waits;
mod work;
mod writer;
mod writing;

pub use engine::Engine;
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};
pub use store::RedbStore;

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
/// As for [`open`].
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
    let (options, timer) = (store.options(), store.file().timer());
    let file = store.clone();
    let (log, follower) = EventLog::open(store, options, timer).await?;
    file.file().follow(follower);
    Ok(log)
}

/// Waits until this process has closed the file, which it does once every log of it has been dropped: for `at_most` this long. Answers whether it has.
///
/// A process that ends before is as one that was killed: the file is repaired when it is opened next.
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
/// Where there can be no thread to wait in ([`is_store`](Error::is_store)).
///
/// # Cancel safety
///
/// Nothing is changed by it.
pub async fn closed(path: impl AsRef<Path>, at_most: Duration) -> Result<bool, Error> {
    Ok(open_files::closed(path.as_ref(), at_most).await?)
}

/// Gives the pages of a file that hold nothing any more back to the file system. It moves what is kept together first, which takes longer than
/// copying it (8 s for 2 GB); until then nothing is read or written, so that what is appended meanwhile may take too long, and have an unknown
/// outcome. The file may be open in this process. Answers whether there was anything to do.
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
