use std::time::Duration;

/// Options for the use of Postgres by all logs of an [`Engine`](crate::Engine). [`StoreOptions`](crate::StoreOptions) has the limits of each log.
///
/// ```
/// use sse_log_postgres::{EngineOptions, Migrations};
///
/// let options = EngineOptions::new().migrations(Migrations::AreApplied);
/// assert_eq!(options.connections, 8);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EngineOptions {
    /// The order of the events of a log.
    /// Default [`Ordering::ByTransaction`].
    pub ordering: Ordering,
    /// The effect of a standby's promotion on the logs.
    /// Default [`OnPromotion::NewEpochIfAsynchronous`].
    pub on_promotion: OnPromotion,
    /// The creator of the tables.
    /// Default [`Migrations::Apply`].
    pub migrations: Migrations,
    /// The way in which settings reach the server.
    /// Default [`Settings::AtStartup`].
    pub settings: Settings,
    /// The notification of followers by [`append_in`](crate::PostgresStore::append_in).
    /// Default [`InTransactions::Notify`].
    pub in_transactions: InTransactions,
    /// Maximum number of connections for all logs, besides the connection that listens.
    /// Default 8, at least 1.
    ///
    /// One log uses three quarters of them at most, so that it never delays another log. Appends to a log that arrive at the same time share a
    /// transaction. The engine closes a connection that was idle for a minute.
    pub connections: usize,
    /// Maximum time for connecting to a server. If the URL has a `connect_timeout`, that replaces this option.
    /// Default 1 s.
    ///
    /// A call that has no connection by then fails, and changed nothing.
    pub connect_timeout: Duration,
    /// Interval between two polls. A poll asks the server, once for all logs, which server it is and whether any log has changed.
    /// Default 1 s, at least 1 ms.
    ///
    /// The engine notifies followers of every append. Only the poll finds an event if its process died before it notified, or if a prepared
    /// transaction stored it.
    pub poll_every: Duration,
}

/// The order of the events of a log. It belongs to the log, not to the process: the process that opened the log last decides, and positions stay
/// comparable after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ordering {
    /// Order by the ids of the transactions. Appends do not wait for each other. A reader gets an event once every transaction that began to write
    /// before it has ended: **a transaction that is open for a minute, anywhere in the cluster, delays all new events for that minute**, though
    /// Postgres has stored them. A prepared transaction (`PREPARE TRANSACTION`) delays them, too.
    ByTransaction,
    /// Order by a lock: transactions append one after the other, and each holds the lock from its append to its end. A reader gets an event as soon
    /// as its transaction has ended, even if other transactions run. Use it with few writers and short transactions: if one of them appends by
    /// [`append_in`](crate::PostgresStore::append_in), other appends wait for the rest of the application's transaction, too.
    ByLock,
}

/// The reaction of the logs after a standby was promoted, or the cluster was recovered to a point in time. Postgres then begins a new timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPromotion {
    /// Each log begins a new epoch, unless `synchronous_standby_names` was set when the log was opened: then each commit was on a standby.
    /// If an application sets `synchronous_commit = local`, it needs [`OnPromotion::NewEpoch`].
    NewEpochIfAsynchronous,
    /// Each log begins a new epoch: every client gets one reset, at a planned switchover, too.
    NewEpoch,
    /// The epoch continues. **If the standby lacked events, the log may give their ids to other events, and clients get no reset.** Use it for
    /// switchovers that lose nothing.
    Keep,
}

/// The creator of the tables and functions. They are in `migrations/*.sql` of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Migrations {
    /// This crate creates them if they are missing. It needs the right to create them in the first schema of the `search_path`.
    Apply,
    /// The application has created them. This crate creates nothing.
    AreApplied,
}

/// The way in which the settings of a connection reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Settings {
    /// The connection sends them as it starts (the startup parameter `options`). A pooler like PgBouncer refuses that parameter, or drops it: then
    /// opening fails with an error that names the pooler.
    AtStartup,
    /// The connection sends them by `SET` once it is established. Use it with a pooler that **pools by session**. The crate detects a pooler that
    /// pools by transaction by chance only, and the other clients of that pooler get these settings.
    BySession,
}

/// The notification of followers by an application's own transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InTransactions {
    /// The transaction notifies followers. Transactions that notify commit one at a time, in the whole cluster, and Postgres refuses to prepare
    /// them (`PREPARE TRANSACTION`).
    Notify,
    /// The transaction does not notify. Followers find the event within [`EngineOptions::poll_every`] of the commit.
    DoNotNotify,
}

impl EngineOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`ordering`](field@Self::ordering).
    #[must_use]
    pub fn ordering(self, ordering: Ordering) -> Self {
        Self { ordering, ..self }
    }

    /// Sets [`on_promotion`](field@Self::on_promotion).
    #[must_use]
    pub fn on_promotion(self, on_promotion: OnPromotion) -> Self {
        Self { on_promotion, ..self }
    }

    /// Sets [`migrations`](field@Self::migrations).
    #[must_use]
    pub fn migrations(self, migrations: Migrations) -> Self {
        Self { migrations, ..self }
    }

    /// Sets [`settings`](field@Self::settings).
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Sets [`in_transactions`](field@Self::in_transactions).
    #[must_use]
    pub fn in_transactions(self, in_transactions: InTransactions) -> Self {
        Self { in_transactions, ..self }
    }

    /// Sets [`connections`](field@Self::connections).
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// Sets [`connect_timeout`](field@Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets [`poll_every`](field@Self::poll_every).
    #[must_use]
    pub fn poll_every(self, poll_every: Duration) -> Self {
        Self { poll_every, ..self }
    }
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
