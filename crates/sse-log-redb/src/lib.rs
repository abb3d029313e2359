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
//! One process at a time can open the file: [redb](https://docs.rs/redb) refuses a second process with an error that says so. If several processes append or read, use
//! `sse-log-redis`, `sse-log-nats` or `sse-log-postgres`. If a deploy replaces the process, set [`EngineOptions::connect_timeout`] to the time that
//! the old process takes to end: the new process then waits for the file. The crate needs no runtime.
//!
//! # What is kept, and where
//!
//! A file holds logs by name: [`connect`] opens the file, and [`Engine::open`] opens a log in it. All logs of a file share a writer thread. It stores the
//! appends that arrive at the same time, from all logs, in one transaction, and waits for the disk once. The file closes a moment after its last handle
//! was dropped ([`closed`] waits for that).
//!
//! | table of redb | contents |
//! |---|---|
//! | `{name}/events` | the events by number: the time at which each was stored, its key, its topics, its block. Events of one transaction share rows of up to 16 KiB, unless they have keys |
//! | `{name}/keys` | the newest event of each key |
//! | `{name}/once`, `{name}/once-order` | the idempotency keys, by key and in order of arrival |
//! | `{name}/topics` | the index by topic, from the first event with topics on: an entry for each topic of each event. Its key is the part of 16 384 numbers, the topic, and the place in the part |
//! | `{name}/runs` | the numbers between two events with topics, if events without topics are there |
//! | `heads` | the epoch, the newest number and the floor of each log; the number of its events, bytes and deletions, whether it is finished, and the newest event with topics |
//! | `earlier-epochs` | the newest number of each log when its epoch began |
//! | `sse-log` | the format of the file, the number of its transactions, its clock, and its identity |
//!
//! The file `{file}.reserve` of 1 MiB lies beside it: it reserves room for a full disk, and notes how far the file has come.
//!
//! # What redb promises
//!
//! [`append`](EventLog::append) returns after the event and all events before it are on the disk (`fsync`). So the event outlives the end of this process,
//! a `kill -9`, and a loss of power. After a kill or a loss of power redb repairs the file when it opens it. If nothing was written in the last second
//! before, the repair takes no time; otherwise redb reads the whole file, some seconds for a gigabyte. The same holds if a process ends before it has
//! [`closed`] the file.
//!
//! **A full disk.** `append` returns an error that says so, and nothing was stored; reads continue. Deleting events and lowering the limits continue, too:
//! they use the reserve and make room, so that the next appends succeed. If the limits fit on the disk, a log does not fill it.
//!
//! **A file that is replaced or removed while it is open.** The process checks the file's device and inode before each transaction, and each second. An
//! append then fails with an error that says so, and nothing is written to the file that was open. If another file has its path, the log continues in that
//! file under a new epoch: clients get a reset within two seconds. If the path has no file, the log waits for the file, and creates no other.
//!
//! **A damaged file.** Opening or reading it fails if redb notices the damage; with [`EngineOptions::check_on_open`] redb notices all damage.
//!
//! **A clock that jumps.** The process reads the system's clock when it opens the file, and never again: after that ages follow the process's own clock. If
//! the system's clock is behind the file, the file's time counts. `Start::Since` goes by the same time, to a millisecond. Of the time in which no process had the file open at most a day counts. An idempotency
//! key expires when its window has passed since it was stored, or since the file was opened.
//!
//! # What happens when (November 2026)
//!
//! Copy a file while no process has it open, and without the file `.reserve`. A file stores its inode and its time of creation, so a copy is another file:
//! each of its logs begins a new epoch when the copy is first opened, and clients get a reset. The reserve reveals a copy that was written over the file
//! itself. A file that is renamed on its disk keeps its identity. Only a restore of the whole disk from a snapshot leaves no sign: call [`EventLog::new_epoch`] after it.
//!
//! # Limits
//!
//! - Each append drops the events over the limits in its own transaction, at most twice as many as it adds. Each log runs a retention at opening and then
//!   from time to time, which drops the rest and the events that are too old. So a log is within its limits as soon as an append has returned, unless the
//!   limits were lowered. The limit in bytes counts the events' blocks; the file is larger.
//! - The index by topic never has an event that was deleted, or superseded by its key. Of dropped events it keeps entries until all numbers of their part
//!   were dropped, and some appends longer: at most those of 16 384 events.
//! - If an append has waited for four fifths of [`StoreOptions::store_timeout`] for its turn, it fails and is not stored.
//! - No call returns an event that [`EventLog::delete`] or retention has removed. A dropped event's bytes stay in its row until the row's last event is dropped.
//!   Other bytes stay in free pages of the file until redb uses these again, as a rule for the next appends. [`compact`] rewrites the events and returns the
//!   free pages to the file system: the bytes are then gone from the file. If they must be gone from the disk, too, encrypt it: no file system promises that.
//!
//! # Costs
//!
//! A file has six threads, independent of the number of its logs: one writes, two read, two run followers, one runs timers. Futures only wait for these
//! threads, so that no call blocks an executor of any runtime. Requests wait in bounded queues (1024 requests, 16 MiB); if its queue is full, an append
//! waits outside. A transaction has at most 1024 requests, and 1 MiB unless one event is larger. Before a transaction the writer waits for as many requests
//! as it expects, for at most a quarter of the duration of the last transaction.
//!
//! A file is larger than its events: by a quarter if they are small, up to twice if they are of about a kilobyte.
//!
//! **Topics.** An event without topics costs the same in every log. Each topic of an event adds about 30 bytes to the file besides its name, which is stored twice. An
//! append writes more pages: with a topic of 100 000, 50 KB instead of 37 if it is alone in its transaction, 2 KB an event instead of 0.3 if 256 are.
//! A stream of topics that is behind reads a row for each of its events, and a page or two of the index for each of its topics in each part. For more than 16 topics
//! a page of the log is read first, and is enough if an eighth of it is for the stream. A call looks up about 4096 topics, and then returns what it has.
#![deny(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![forbid(unsafe_code)]

use std::path::Path;

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
mod maintenance;
mod names;
mod open_database;
mod open_files;
mod open_logs;
mod options;
mod position;
mod read;
mod read_topics;
mod removal;
mod reserve;
mod retain;
mod row_topics;
mod store;
mod tables;
mod threads;
mod timer;
mod topics;
mod transaction;
mod write_queue;
mod write_request;
mod writer;

pub use crate::core::RedbStore;
pub use engine::Engine;
pub use maintenance::{closed, compact};
pub use options::EngineOptions;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions};

/// Opens a file of logs, and creates it if it is missing; the folder must exist. If this process already has the file open, the call shares it and
/// leaves its options unchanged.
///
/// ```
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("events.redb");
/// use sse_log_redb::{EngineOptions, StoreOptions};
///
/// let redb = sse_log_redb::connect(&path, EngineOptions::default()).await?;
/// let prices = redb.open("prices", StoreOptions::default()).await?;
/// let news = redb.open("news", StoreOptions::new().events(1000)).await?;
/// assert_eq!(redb.logs().await?.len(), 2);
/// # Ok::<(), sse_log_redb::Error>(())
/// # }).expect("a file in a temporary folder can be written");
/// ```
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the file is open in another process, cannot be read or written, or is not a file of this library; the
/// `source` says which.
///
/// # Cancel safety
///
/// If the future is dropped, the file may have been created.
pub async fn connect(path: impl AsRef<Path>, options: EngineOptions) -> Result<Engine, Error> {
    Engine::open_file(path.as_ref(), &options).await
}

/// Opens the log of this name in this file, with default options. Creates the file and the log if they are missing; the folder must exist.
///
/// A name has 1 to 64 of `[A-Za-z0-9_-]`.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the name is invalid, or if [`connect`] fails.
///
/// # Cancel safety
///
/// If the future is dropped, the file and the log may have been created.
pub async fn open(path: impl AsRef<Path>, name: &str) -> Result<EventLog, Error> {
    open_with(path, name, EngineOptions::default(), StoreOptions::default()).await
}

/// Opens a log as [`open`] does, with options. If another process has the file open, it waits for up to the longer of
/// [`EngineOptions::connect_timeout`] and [`StoreOptions::store_wait`].
///
/// # Errors
///
/// The same as for [`open`].
///
/// # Cancel safety
///
/// The same as for [`open`].
pub async fn open_with(
    path: impl AsRef<Path>,
    name: &str,
    engine: EngineOptions,
    store: StoreOptions,
) -> Result<EventLog, Error> {
    let connect_timeout = engine.connect_timeout.max(store.store_wait);
    connect(path, engine.connect_timeout(connect_timeout)).await?.open(name, store).await
}

/// Opens a log over a store of [`Engine::store`], with the options of the store.
///
/// # Errors
///
/// The same as for [`open`].
///
/// # Cancel safety
///
/// Dropping the future changes nothing.
pub async fn open_store(store: RedbStore) -> Result<EventLog, Error> {
    engine::open_log(store).await
}
