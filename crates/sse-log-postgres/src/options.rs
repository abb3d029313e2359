use std::time::Duration;

/// How Postgres is used for all logs of an [`Engine`](crate::Engine). How much a log keeps, and what it accepts, is in
/// [`StoreOptions`](crate::StoreOptions).
///
/// ```
/// use sse_log_postgres::{EngineOptions, Migrations};
///
/// let options = EngineOptions { migrations: Migrations::AreApplied, ..EngineOptions::default() };
/// assert_eq!(options.connections, 8);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EngineOptions {
    /// What makes the order of the events; default [`Ordering::ByTransaction`].
    pub ordering: Ordering,
    /// What a promotion of a standby is to the logs; default [`OnPromotion::NewEpochIfAsynchronous`].
    pub on_promotion: OnPromotion,
    /// Who creates the tables; default [`Migrations::Apply`].
    pub migrations: Migrations,
    /// How settings reach the server; default [`Settings::AtStartup`].
    pub settings: Settings,
    /// Whether [`append_in`](crate::PostgresStore::append_in) notifies followers; default [`InTransactions::Notify`].
    pub in_transactions: InTransactions,
    /// How many connections there are at most, for all logs, besides the one that listens; default 8, at least 1. Appends to a log that come at
    /// the same time share a transaction. One log has three quarters of them at most, so that it never holds up another.
    /// A connection that was idle for a minute is closed.
    pub connections: usize,
    /// How long connecting to a server may take; default 1 s. A call for which there is no connection by then fails, and nothing was done. If the
    /// URL has a `connect_timeout`, that holds instead.
    pub connect_timeout: Duration,
    /// How often the server is asked, once for all logs, which server it is and whether anything was changed; default 1 s, at least 1 ms.
    /// Followers are notified of all that is appended; only an event whose process died at that very moment, or that was stored by a prepared
    /// transaction, is found by this question.
    pub poll_every: Duration,
}

/// What makes the order of the events of a log. It is the log's, not the process's: the process that opened the log last has decided, and
/// positions stay comparable when it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// What the logs do once a standby was promoted, or the cluster was recovered to a point in time. Postgres then begins a new timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPromotion {
    /// Each log begins a new epoch, unless `synchronous_standby_names` was set when the log was opened: then each commit was on a standby.
    /// An application that sets `synchronous_commit = local` takes [`OnPromotion::NewEpoch`].
    NewEpochIfAsynchronous,
    /// Each log begins a new epoch: every client is told of a gap, once. So it does at a planned switchover.
    NewEpoch,
    /// The epoch goes on. **If the standby lacked events, their ids may be given again, and clients are told of no gap.** For switchovers at
    /// which nothing is lost.
    Keep,
}

/// Who creates the tables and functions: `migrations/*.sql` of this crate, to be read there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Migrations {
    /// This crate does, if they are missing; it needs the right to create them in the first schema of the `search_path`.
    Apply,
    /// They are there. Nothing is created.
    AreApplied,
}

/// How the settings of a connection reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Settings {
    /// With the connection itself (the startup parameter `options`). A pooler like PgBouncer refuses that, or drops it: then opening fails, and
    /// says so.
    AtStartup,
    /// By `SET`, once the connection is there: for a pooler that **pools by session**. One that pools by transaction is noticed by chance only, and
    /// its other clients get these settings.
    BySession,
}

/// What an application's own transaction does besides storing the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InTransactions {
    /// It notifies followers. Transactions that notify commit one at a time, in the whole cluster, and Postgres refuses to prepare them
    /// (`PREPARE TRANSACTION`).
    Notify,
    /// It does not. Followers find the event within [`EngineOptions::poll_every`] of the commit.
    DoNotNotify,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            ordering: Ordering::ByTransaction,
            on_promotion: OnPromotion::NewEpochIfAsynchronous,
            migrations: Migrations::Apply,
            settings: Settings::AtStartup,
            in_transactions: InTransactions::Notify,
            connections: 8,
            connect_timeout: Duration::from_secs(1),
            poll_every: Duration::from_secs(1),
        }
    }
}
