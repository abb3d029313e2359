//! An event log in Postgres. Many processes append to it, also within the transactions of an application, and many processes serve it.
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
//! The crate needs Postgres 13 or later (15 and 16 are tested). It connects to the primary and refuses a standby. If a URL names several hosts, or
//! one host name has several addresses, the crate connects to the server that takes writes.
//!
//! The logs of one process share an [`Engine`]: call `connect(url, EngineOptions::default())`, and then [`open`](Engine::open),
//! [`store`](Engine::store) and [`logs`](Engine::logs). [`open`] shares an engine between calls with the same URL, options and credentials.
//!
//! # What is kept, and where
//!
//! All logs share five tables and a sequence. The crate creates them at first use, by `migrations/*.sql` of this crate in the order of their names:
//!
//! | table | content |
//! |---|---|
//! | `sse_logs` | a row for each log: its epoch, its ordering, whether it is finished, and the cluster, database and timeline in which the row was written |
//! | `sse_log_kept` | a row for each log: the floor, the number of events, bytes and deletions, the log's time |
//! | `sse_log_events` | the events: position, key, block, and the time at which each was stored |
//! | `sse_log_topic_events` | the events with topics, and the topics. It inherits from `sse_log_events`: a query of `sse_log_events` finds them, too |
//! | `sse_log_keys` | idempotency keys, and the positions of the events that were appended with them |
//!
//! The tables are in the first schema of the `search_path`. To use another schema, add `?options=-csearch_path%3Devents` to the URL. If an
//! application runs its own migrations, it copies those files and sets [`Migrations::AreApplied`]. This version has schema 5. It migrates the tables
//! of schema 4, whose events have no topics, and processes of the earlier version can continue: their clients get events of all topics. A user with
//! rights on `sse_log_events` gets the same rights on `sse_log_topic_events` at that time. A database user who only appends and reads needs
//! `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the tables and `USAGE` on the sequence.
//!
//! # What Postgres promises
//!
//! [`append`](EventLog::append) returns once the commit is on the disk of the primary, also if `synchronous_commit` is off: otherwise a crash could
//! lose an event that a client has seen, and Postgres would give its position to another event. Deletions, the end of a log, and a new epoch wait
//! for the disk for the same reason. An acknowledged event survives
//!
//! - the end of this process, a `kill -9` of Postgres, and a loss of power. If `fsync` is off, Postgres promises nothing;
//! - the loss of the machine, if `synchronous_standby_names` has the event on standbys, too. While these standbys are away, an append has an unknown
//!   outcome, and holds one of the engine's [connections](EngineOptions::connections) until the server has answered. When such appends hold all
//!   connections, calls fail at once, and nothing was sent.
//!
//! # What happens when (November 2026)
//!
//! With Postgres 15.18 and 16.2, and PgBouncer 1.18:
//!
//! | event | effect |
//! |---|---|
//! | a standby is promoted, asynchronous | each log begins a new epoch before any other operation, also if no process ran that had seen the lost events. **At a planned switchover** each client gets one reset, too; if the switchover loses nothing, set [`OnPromotion::Keep`] |
//! | a standby is promoted, synchronous | the epoch continues, if `synchronous_standby_names` was set while the old primary ran ([`OnPromotion::NewEpochIfAsynchronous`]) |
//! | a recovery to a point in time | the same as a promotion: it begins a new timeline |
//! | the timeline cannot be read (`pg_walfile_name` is not granted, or a service has no timeline) | a process that had followed the lost events, and still runs, notices the failover; otherwise call [`EventLog::new_epoch`] |
//! | a dump is restored: all of it, the data alone, into this or another database or cluster, or without `sse_log_kept` | a new epoch |
//! | `pg_upgrade`, or an `ALTER TABLE` that writes `sse_logs` again | a new epoch |
//! | a copy of the files (a snapshot of the disk) is restored without a recovery | a process that had followed the lost events, and still runs, notices it; otherwise call [`EventLog::new_epoch`] |
//! | an operator removes rows | if the newest event is gone, the log begins a new epoch. Otherwise the operator raises the floor (`sse_log_kept`) in the same transaction, which first takes the lock of retention (`SELECT pg_advisory_xact_lock(sse_log_kept_lock('prices'))`); without that, clients get no reset for the gap |
//! | the disk is full | appends fail; Postgres may stop, and continues once there is room. No acknowledged event is lost |
//! | the clock of the server jumps | the log's time follows the clocks of the processes that run: no key expires, and no event ages, before its time. If a process opens the log within seconds of the jump (5 minutes if nothing was appended), or while no other process runs, it takes the log's time from the server's clock |
//! | a pooler in transaction mode | opening fails with an error that names the pooler |
//! | a pooler in session mode | opening fails in the same way, unless [`Settings::BySession`] is set |
//! | a slow line | the reader halves its pages until one arrives within 0.9 of [`StoreOptions::store_timeout`], down to one event. If one event takes longer, raise `store_timeout` |
//!
//! ## With the application's own rows
//!
//! An event that is appended in the application's transaction commits with the application's rows, or not at all. Only this store promises that:
//!
//! ```no_run
//! use sse_log_postgres::{EngineOptions, StoreOptions, connect, open_store};
//!
//! # async fn order(client: &mut sse_log_postgres::tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let postgres = connect("postgres://user@localhost/shop", EngineOptions::default()).await?;
//! let store = postgres.store("orders", StoreOptions::default()).await?;
//! let log = open_store(store.clone()).await?;
//!
//! let transaction = client.transaction().await?;
//! transaction.execute("INSERT INTO orders (item) VALUES ($1)", &[&"tea"]).await?;
//! store.append_in(&transaction, "tea was ordered").await?;
//! transaction.commit().await?;
//! # drop(log);
//! # Ok(()) }
//! ```
//!
//! SQL and a stream join without a hole or a double: [`position_in`](PostgresStore::position_in) returns the id of what a transaction sees.
//!
//! ## The order of events
//!
//! Transactions do not end in the order in which they began, and numbers of a sequence do not become visible in their order: a reader that continues
//! after the largest number that it has seen loses events. Therefore the position of an event is the id of its transaction, then such a number, and
//! a reader gets an event once no transaction with a lower id can append any more. The price: **a transaction that writes and stays open, in any
//! database of the cluster, delays every event that is appended after it began**, until it ends. Postgres has stored these events, and none is lost;
//! they arrive late. A transaction that was prepared for two-phase commit delays them, too. Keep transactions short
//! (`idle_in_transaction_session_timeout`), or set [`Ordering::ByLock`].
//!
//! ## Retention
//!
//! After each 256th of [`StoreOptions::events`] or [`StoreOptions::bytes`] that a process has appended, the append's own transaction drops events that
//! are over the limit: at most twice as many as it adds, or 2 000 if that is more. It does not wait for other appends, and they do not wait for it. If
//! the events that could be dropped now are half as much again as the limit, it waits for 100 ms at most. The log
//! therefore has at most twice as many events as the limit, and those that a running transaction delays: the append that drops delays what is stored
//! meanwhile. If an old transaction delays events, the log drops the surplus when it is opened, and every 10 s. Retention counts only an event that is committed and readable. [`append_in`](PostgresStore::append_in) drops nothing. `Start::Since` goes by the same time: an event of a long transaction counts from its append, not from its commit.
//!
//! If an event supersedes an older event of its [key](sse_core::Event::key), readers no longer get the older event, and retention removes it in the
//! same way: a keyed log costs what it keeps. Dropped events leave dead rows, as any `DELETE` does. Autovacuum removes these once no old snapshot
//! (of a backup, say) needs them; until then no query reads them.
//!
//! The log knows an idempotency key for [`StoreOptions::idempotency_window`], and while no more than [`StoreOptions::events`] further keys came. In that
//! time an append with this key returns the first id, also if the event was trimmed, deleted or superseded, and after the end of the log. In a new epoch the append stores the event again.
//!
//! # Limits
//!
//! - The store refuses a key, or an idempotency key, with a NUL: Postgres has no such text.
//! - The server ends a statement after [`StoreOptions::store_timeout`]. A statement may wait for a lock for half of that time: for the lock of
//!   an idempotency key, say, that an open transaction has stored.
//! - [`finish`](EventLog::finish), a new epoch, and a change of the [`Ordering`] wait for the transactions that have appended, and fail after half of
//!   `store_timeout`. Meanwhile other appends wait for 50 ms at most.
//!
//! # Costs
//!
//! An [`Engine`] has up to [`EngineOptions::connections`] for all its logs, and one connection that listens. It closes a connection that was idle for a
//! minute. An idle log costs nothing at the server: once a second ([`EngineOptions::poll_every`]) the engine asks which server it is and whether
//! any log has changed, in one query for all logs. If the server has changed, or the connection that listens is lost, all followers of the engine
//! begin again.
//!
//! Appends to a log that arrive at the same time share a transaction. The engine then notifies followers in a transaction of its own that does not
//! wait for the disk, since transactions that notify commit one at a time. Only [`append_in`](PostgresStore::append_in) notifies in the transaction
//! itself. An append that comes alone makes four to five transactions. While a transaction elsewhere delays events, a log polls twice a second.
//!
//! ## Topics
//!
//! An append of events without topics costs what it costs without topics: one insert into `sse_log_events`. An event with topics is a row of
//! `sse_log_topic_events`, which has an index for each of the eight places of a topic. The row and its entries are written in one transaction, and are
//! removed together: no entry outlives its row, and a deleted event has no entry. An event of 128 bytes writes 312 bytes of the write-ahead log without
//! topics, 480 with one and 660 to 750 with three. On the disk each topic takes 25 to 120 bytes, the more the rarer it is.
//!
//! A read by topics is one query, and touches about one block for each event, three for each topic and place, and 50: 150 blocks of 8 kB for 100
//! events of one topic among 200 000. It reads at most 16 events of each topic, or twice its share of a page if that is more. A read of more than 16
//! topics first reads a page of the log, and only that if an eighth of it matches. A read of 1 000 topics that are a twentieth of the log touches
//! 19 000 blocks, and takes about 60 ms. The places that no event of the database has used cost nothing.
//!
//! # TLS
//!
//! [`connect_with`] takes a TLS connector of the application's choice. [`open`] and [`connect`] have no connector, and fail with
//! `sslmode=require` in the URL.
#![deny(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![forbid(unsafe_code)]

mod append;
mod append_in;
mod before_last;
mod before_since;
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
mod position_in;
mod postgres_store;
mod read;
mod retain;
mod retention_schedule;
mod session;
mod store;
mod subscription;
mod topics;
mod writer;

pub use engine::{Engine, connect, connect_with};
pub use options::{EngineOptions, InTransactions, Migrations, OnPromotion, Ordering, Settings};
pub use postgres_store::PostgresStore;
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, StoreOptions, store::LogName};
#[doc(no_inline)]
pub use tokio_postgres;

use sse_core::Timer;

/// Opens the log of this name, and follows it: the streams of this process get the events that this and all other processes append.
///
/// `url` has a form that [`tokio_postgres::Config`] parses: `postgres://user:password@host/database`, or `host=/run/postgresql dbname=shop`. The
/// name is 1 to 64 of `[A-Za-z0-9_-]`. Logs of one URL share an [`Engine`]. Call it within a tokio runtime, which runs the follower for as long
/// as the log is in use.
///
/// # Errors
///
/// - [`is_store`](Error::is_store) if the URL or the name is invalid, if Postgres cannot be reached, if its tables cannot be created, and if a
///   pooler in between does not pool by session; with `sslmode=require` always, since Postgres cannot be reached by TLS without a
///   [connector](connect_with).
///
/// # Cancel safety
///
/// If the future is dropped, the tables, and the log, may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// Opens a log as [`open`] does, with these options. Logs of one URL with equal [`EngineOptions`] share an [`Engine`]. If
/// [`StoreOptions::store_wait`] is set, it waits for a server that is down.
///
/// # Errors
///
/// The errors of [`open`].
///
/// # Cancel safety
///
/// The same as [`open`].
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    options: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::shared(url, engine)?.open(name, options).await
}

/// Opens the log of a store, with the store's options. The application can [append in its own transactions](PostgresStore::append_in) to that store.
///
/// # Errors
///
/// The errors of [`open`].
///
/// # Cancel safety
///
/// The same as [`open`].
pub async fn open_store(store: PostgresStore) -> Result<EventLog, Error> {
    let options = store.options();
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}
