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
//! It wants Postgres 13 or later (15 and 16 are tested), and asks the primary: a standby is refused. If a URL names several hosts, or one name of several
//! addresses, it connects to the one that takes writes.
//!
//! Logs of one process share an [`Engine`]: `connect(url, EngineOptions::default())`, and then [`open`](Engine::open), [`store`](Engine::store) and
//! [`logs`](Engine::logs). [`open`] shares one by URL, options and credentials.
//!
//! # What is kept, and where
//!
//! All logs share four tables and a sequence, created as they are first used, by `migrations/*.sql` of this crate in the order of their names:
//!
//! | table | what it holds |
//! |---|---|
//! | `sse_logs` | a row for each log: its epoch, its ordering, whether it is finished, and where it was written |
//! | `sse_log_kept` | a row for each log: the floor, how many events and bytes, how many deletions, the log's time |
//! | `sse_log_events` | the events: position, key, block, and when each was stored |
//! | `sse_log_keys` | idempotency keys, and the positions of the events that they brought |
//!
//! They are in the first schema of the `search_path`; for another, add `?options=-csearch_path%3Devents` to the URL. An application that
//! migrates for itself copies those files, and says so ([`Migrations::AreApplied`]). A user who only appends and reads needs `SELECT`, `INSERT`,
//! `UPDATE` and `DELETE` on the tables and `USAGE` on the sequence.
//!
//! # What Postgres promises
//!
//! [`append`](EventLog::append) returns once the commit is on the disk of the primary, also if `synchronous_commit` is off: an event that was seen
//! and then lost in a crash would have its position given to another. So do deletions, the end of a log, and a new epoch. So it outlives
//!
//! - the end of this process, a `kill -9` of Postgres, and a loss of power, unless `fsync` is off: then nothing is promised;
//! - the loss of the machine if `synchronous_standby_names` has it on standbys, too. While these are away an append has an unknown outcome, and holds one
//!   of the engine's [connections](EngineOptions::connections) until the server has answered. Once all are held, calls fail at once, and nothing was sent.
//!
//! # What happens when (November 2026)
//!
//! With Postgres 15.18 and 16.2, and PgBouncer 1.18:
//!
//! | | |
//! |---|---|
//! | a standby is promoted, asynchronous | each log begins a new epoch before anything else is done, also if no process ran that had seen what is lost. So does each client begin again **once at a planned switchover**; if nothing is lost there, set [`OnPromotion::Keep`] |
//! | a standby is promoted, synchronous | the epoch goes on if `synchronous_standby_names` was set while the old primary ran ([`OnPromotion::NewEpochIfAsynchronous`]) |
//! | a recovery to a point in time | as a promotion: it begins a new timeline |
//! | the timeline cannot be read (`pg_walfile_name` is not granted, or a service has none) | a failover is noticed while a process runs that had followed what is lost; else call [`EventLog::new_epoch`] |
//! | a dump is restored: all of it, the data alone, into this or another database or cluster, or without `sse_log_kept` | a new epoch |
//! | `pg_upgrade`, or an `ALTER TABLE` that writes `sse_logs` again | a new epoch |
//! | a copy of the files (a snapshot of the disk) is put back, without a recovery | noticed while a process runs that had followed what is lost; else call [`EventLog::new_epoch`] |
//! | rows are removed by hand | the newest is gone: a new epoch. Others: raise the floor (`sse_log_kept`) in the same transaction, which first takes the lock of retention (`SELECT pg_advisory_xact_lock(sse_log_kept_lock('prices'))`); else clients are not told of the gap |
//! | the disk is full | appends fail; Postgres may stop, and goes on once there is room. Nothing that was answered is lost |
//! | the clock of the server jumps | the log's time goes by the clocks of the processes that run: no key is forgotten, and nothing ages, before its time. A process that opens the log within seconds of the jump, or when no other runs, takes the clock of the server for the time |
//! | a pooler in transaction mode | it is refused at opening, by name |
//! | a pooler in session mode | it is refused, too, unless [`Settings::BySession`] is set |
//! | a slow line | pages are halved until one comes within 0.9 of [`StoreOptions::store_timeout`], down to one event. An event that takes longer needs a longer time-out |
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
//! ## Retention
//!
//! After each 256th of [`StoreOptions::events`] or [`StoreOptions::bytes`] that a process has appended, the append's own transaction lets go of what is over:
//! of twice as much as it adds, or 2 000 events, at most. It waits for no other, and no other append waits for it, unless there is half as much again as the limit, of what
//! could be let go of: then it waits for 100 ms at most. So there are at most twice as many events as the limit, and what is on its way, as long as no old transaction holds events back. What is over with them is let go of when the log is opened, and every 10 s. Only an event that
//! was committed and can be read is counted. [`append_in`](PostgresStore::append_in) lets go of nothing.
//!
//! If an event takes the place of an older one of its [key](EventLog::append_keyed), that is read no more, and removed in the same way: a keyed log costs what it
//! keeps. What is let go of leaves dead rows, as any `DELETE` does; autovacuum takes care of them, once no old snapshot (of a backup, say) needs them. Nothing
//! looks at them meanwhile.
//!
//! An idempotency key is known for [`StoreOptions::idempotency_window`], and while no more than [`StoreOptions::events`] further keys came; then the first answer is given,
//! also if the event was trimmed, deleted or superseded, and after the end of the log. In a new epoch it is stored again.
//!
//! # Limits
//!
//! - A key, or an idempotency key, with a NUL is refused: Postgres has no such text.
//! - A statement ends after [`StoreOptions::store_timeout`], at the server; half of that may be spent on waiting for a lock: that of an idempotency key, say, which an open transaction has stored.
//! - [`finish`](EventLog::finish), a new epoch, and a change of the [`Ordering`] wait for the transactions that have appended, for half of `store_timeout`, and fail then. Others that append meanwhile
//!   wait for 50 ms at most.
//!
//! # Costs
//!
//! An [`Engine`] has up to [`EngineOptions::connections`] for all its logs, and one that listens. Those that nobody uses for a minute are closed. An idle log costs nothing at
//! the server: once a second ([`EngineOptions::poll_every`]) the engine asks which server it is and whether anything was changed, in one query for all. If the server has changed, or the connection that listens is
//! lost, all followers of the engine begin again.
//!
//! What is appended to a log at the same time shares a transaction. Followers are notified after that, in a transaction of its own that waits for no disk, since transactions that notify commit one at a time. Only
//! [`append_in`](PostgresStore::append_in) notifies in the transaction itself. An append that comes alone makes four to five transactions. While a transaction is open elsewhere that holds
//! events back, a log looks twice a second.
//!
//! # TLS
//!
//! By a connector of the application's choice, with [`connect_with`]. [`open`] and [`connect`] have none, and
//! with `sslmode=require` in the URL nothing can be connected to.
#![forbid(unsafe_code)]

mod append;
mod append_in;
mod before_last;
mod bounds;
mod clock;
mod connect;
mod connection;
mod control;
mod core;
mod engine;
mod error;
mod follow;
mod listener;
mod names;
mod notify;
mod options;
mod pool;
mod position;
mod postgres_store;
mod read;
mod retain;
mod retention_schedule;
mod session;
mod store;
mod subscription;
mod writer;

pub use engine::{Engine, connect, connect_with};
pub use options::{EngineOptions, InTransactions, Migrations, OnPromotion, Ordering, Settings};
pub use postgres_store::PostgresStore;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions, store::LogName};

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
    Engine::shared(url, engine)?.open(name, options).await
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

impl Engine {
    /// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one. With a
    /// [`StoreOptions::store_wait`] it waits for a server that is down.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the name is invalid, if Postgres cannot be reached, if its tables cannot be created, and if a pooler is
    ///   in between that does not pool by session.
    ///
    /// # Cancel safety
    ///
    /// The tables, and the log, may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_store(self.store(name, options).await?).await
    }
}
