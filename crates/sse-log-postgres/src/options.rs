use std::time::Duration;

use sse_core::StoreOptions;

/// How a log is kept in Postgres.
///
/// ```
/// use sse_log_postgres::{StoreOptions, Migrations, Options};
///
/// let log = StoreOptions { events: 10_000, ..StoreOptions::default() };
/// let options = Options { log, migrations: Migrations::AreApplied, ..Options::default() };
/// assert_eq!(options.connections, 8);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How much is kept, and what is accepted; default [`StoreOptions::default`].
    ///
    /// Over Postgres: the bytes kept are those of the events' blocks; rows and indexes come on top. Ages go by the clock of the server. Half of [`store_timeout`](StoreOptions::store_timeout) may be spent on waiting for a lock; the server ends statements after all of it.
    pub log: StoreOptions,
    /// What makes the order of the events; default [`Ordering::ByTransaction`].
    pub ordering: Ordering,
    /// Who creates the tables; default [`Migrations::Apply`].
    pub migrations: Migrations,
    /// How many connections are kept at most, besides the one of each follower; default 8, at least 1. Appends that come at the same time
    /// share a transaction, so that two would do for any number of publishers, and two for those with idempotency keys; the others read.
    pub connections: usize,
    /// How long connecting to a server may take; default 1 s. A call for which there is none by then fails, and nothing was done. Where the
    /// URL has a `connect_timeout`, that holds instead.
    pub connect_timeout: Duration,
    /// How often a follower looks for events that it was not told of; default 500 ms, at least 1 ms. It is told of all that is appended; not of
    /// those whose process died at that very moment.
    pub poll_every: Duration,
}

/// What makes the order of the events of a log. It is the log's, not the process's: whoever opened it last has decided, and positions stay
/// comparable when it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ordering {
    /// The ids of their transactions. Appends do not wait for one another. An event can be read once every transaction that began to write
    /// before it has ended: **one that is open for a minute, anywhere in the cluster, holds all new events back for that minute**,
    /// though they are stored. So does a prepared transaction (`PREPARE TRANSACTION`).
    ByTransaction,
    /// A lock: one transaction after the other, each from its append to its end. Its events can be read as soon as it has ended, whatever
    /// else runs. For few writers, and short transactions: with [`append_in`](crate::PostgresStore::append_in) the rest of the
    /// application's transaction is waited for, too.
    ByLock,
}

/// Who creates the tables and functions: `migrations/*.sql` of this crate, to be read there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrations {
    /// This crate does, where they are missing; it needs the right to create them in the first schema of the `search_path`.
    Apply,
    /// They are there. Nothing is created.
    AreApplied,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log: StoreOptions::default(),
            ordering: Ordering::ByTransaction,
            migrations: Migrations::Apply,
            connections: 8,
            connect_timeout: Duration::from_secs(1),
            poll_every: Duration::from_millis(500),
        }
    }
}
