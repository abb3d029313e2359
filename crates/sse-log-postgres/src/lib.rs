//! An event log in Postgres: many processes append to it, also within the transactions of an application, and many serve it.
//!
//! ```no_run
//! use sse_log_postgres::Error;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let log = sse_log_postgres::open("postgres://user@localhost/shop", "prices").await?;
//! let id = log.append("12.50").await?;
//! assert_eq!(log.get(&id).await?.to_event().data.as_deref(), Some("12.50"));
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok(())
//! # }
//! ```
//!
//! It wants Postgres 13 or later (15 is tested), and asks the primary: a standby is refused, and where a URL names several hosts, the one
//! is asked that takes writes.
//!
//! # What is kept, and where
//!
//! All logs share four tables and a sequence, created as they are first used, by `migrations/*.sql` of this crate in the order of their names:
//!
//! | table | what it holds |
//! |---|---|
//! | `sse_logs` | a row for each log: its epoch, its ordering, whether it is finished |
//! | `sse_log_kept` | a row for each log: the floor, how many events and bytes, how many deletions |
//! | `sse_log_events` | the events: position, key, block, and when each was stored |
//! | `sse_log_keys` | idempotency keys, and the events that they brought |
//!
//! They are in the first schema of the `search_path`; for another, add `?options=-csearch_path%3Devents` to the URL. An application that
//! migrates for itself copies those files, and says so ([`Migrations::AreApplied`]). A user who only appends and reads needs `SELECT`, `INSERT`,
//! `UPDATE` and `DELETE` on the tables and `USAGE` on the sequence.
//!
//! # What Postgres promises
//!
//! [`append`](EventLog::append) returns once the commit is on the disk of the primary, also where `synchronous_commit` is off: an event that was seen
//! and then lost in a crash would have its position given to another. So do deletions, the end of a log, and a new epoch. So it outlives
//!
//! - the end of this process, a `kill -9` of Postgres, and a loss of power, unless `fsync` is off: then nothing is promised;
//! - the loss of the machine where `synchronous_standby_names` has it on standbys, too. (While these are away an append has an unknown outcome, and leaves a
//!   connection behind that waits at the server for them.) A failover to a standby that lacks the newest events is noticed while
//!   a process that knew them runs: a new epoch begins, and clients are told of a gap.
//!
//! ## With the application's own rows
//!
//! An event that is appended in a transaction comes with what else that writes, or not at all, which nobody else can promise:
//!
//! ```no_run
//! use sse_log_postgres::{EngineOptions, StoreOptions, connect, open_store};
//!
//! # async fn order(client: &mut tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let postgres = connect("postgres://user@localhost/shop", EngineOptions::default()).await?;
//! let store = postgres.store("orders", StoreOptions::default()).await?;
//! let log = open_store(store.clone()).await?;
//!
//! let transaction = client.transaction().await?;
//! transaction.execute("INSERT INTO orders (item) VALUES ($1)", &[&"tea"]).await?;
//! store.append_in(&transaction, "tea was ordered").await?;
//! transaction.commit().await?;
//! # drop(log);
//! # Ok(())
//! # }
//! ```
//!
//! ## The order of events
//!
//! Transactions do not end in the order in which they began, nor do numbers of a sequence become visible in theirs: whoever reads on after the
//! largest he has seen loses events. So the position of an event is its transaction's id, and then such a number; and events are read once no
//! transaction with a lower id can come any more. The price: **a transaction that writes and stays open, in any database of the
//! cluster, holds back every event that is appended after it began**, until it ends. They are stored, and lost by nobody; they arrive late.
//! So does one that was prepared for two-phase commit. Keep transactions short (`idle_in_transaction_session_timeout`), or
//! take [`Ordering::ByLock`].
//!
//! # Restoring a backup
//!
//! A dump that is restored is noticed, in another cluster, in another database, and over what there was: an epoch begins. So it does after `pg_upgrade`,
//! which makes another cluster. A backup of the whole cluster that is restored while a process runs that has seen what is lost is a new epoch, too. Where no process ran
//! nobody could notice, and ids would be given anew: call [`EventLog::new_epoch`].
//!
//! # Limits
//!
//! - A key, or an idempotency key, with a NUL is refused: Postgres has no such text.
//! - A statement ends after [`StoreOptions::store_timeout`], at the server; half of that may be spent on waiting for a lock: that of an idempotency key, say, which an open transaction has stored.
//! - Whoever removes rows by hand raises the floor (`sse_log_kept`), or clients are not told of the gap.
//! - A proxy (PgBouncer) must pool by session: a connection has settings, prepared statements, and `LISTEN`.
//!
//! # Costs
//!
//! A process has up to [`Options::connections`] for a log, and one that waits for notifications (`LISTEN`). What is appended at the same time shares a transaction.
//! Followers are notified after that, in a transaction of its own, since transactions that notify commit one at a time. Only
//! [`append_in`](PostgresStore::append_in) notifies in the transaction itself.
//!
//! Where an event takes the place of an older one of its [key](EventLog::append_keyed), that is read no more, and removed within 10 s.
//! What is let go of leaves dead rows, as any `DELETE` does; autovacuum takes care of them.
//!
//! # TLS
//!
//! By a connector of the application's choice, with [`PostgresStore::connect_with`] and then [`open_store`]. [`open`] and [`PostgresStore::connect`] have none, and
//! with `sslmode=require` in the URL nothing can be connected to.
#![forbid(unsafe_code)]

mod admin;
mod announce;
mod append;
mod bounds;
mod clock;
mod connection;
mod dial;
mod due;
mod engine;
mod failure;
mod follow;
mod hub;
mod log;
mod name;
mod options;
mod outbox;
mod pool;
mod read;
mod registry;
mod retain;
mod server;
mod session;
mod store;
mod subscription;

pub use engine::{Engine, connect, connect_with};
pub use options::{EngineOptions, InTransactions, Migrations, OnPromotion, Ordering, Settings};
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions, store::LogName};
pub use store::PostgresStore;

use sse_core::Timer;

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is as [`tokio_postgres::Config`] takes it: `postgres://user:password@host/database`, or `host=/run/postgresql dbname=shop`. The name is
/// 1 to 64 of `[A-Za-z0-9_-]`. Logs of one URL share an [`Engine`]. To be called within a tokio runtime, which runs the follower for as long as
/// the log is in use.
///
/// # Errors
///
/// - [`is_store`](Error::is_store) if the URL or the name is invalid, if Postgres cannot be reached, if its tables cannot be created, and if a
///   pooler is in between that does not pool by session; with `sslmode=require` always, since Postgres cannot be reached by TLS without a
///   [connector](connect_with).
///
/// # Cancel safety
///
/// The tables, and the log, may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// The same, with these options. Logs of one URL with equal [`EngineOptions`] share an [`Engine`]. With a [`StoreOptions::store_wait`] it waits
/// for a server that is down.
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
    registry::shared(url, engine)?.open(name, options).await
}

/// The same, of a store that the application [appends to in its own transactions](PostgresStore::append_in), with the options that it was given.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: PostgresStore) -> Result<EventLog, Error> {
    let options = store.options();
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}
