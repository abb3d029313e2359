use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sse_core::store::{LogName, StoreError};
use sse_core::{Error, EventLog, StoreOptions};
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::announce::Changes;
use crate::dial::{Dialer, Task};
use crate::failure::{Cause, Failure};
use crate::hub::Hub;
use crate::pool::Pool;
use crate::server::Server;
use crate::subscription::Subscriptions;
use crate::{EngineOptions, PostgresStore, open_store};

/// How often connections are closed that nobody uses.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// How long a question that is of no log may take.
const WITHIN: Duration = Duration::from_secs(5);

/// A Postgres, or a cluster of them, as all logs of a process use it: they share its connections. A clone is the same engine.
///
/// It connects when it is first used. Its connections are closed within a second once it, and all its logs and stores, were dropped.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

/// What the logs of an engine share.
pub(crate) struct Inner {
    pub(crate) options: EngineOptions,
    pub(crate) server: Arc<Server>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) hub: Hub,
    pub(crate) subscriptions: Arc<Subscriptions>,
    changes: Arc<Changes>,
    _tasks: [Task; 3],
}

/// Returns an engine of its own, with connections that nothing else uses. To be called within a tokio runtime, which has three tasks for it.
///
/// `url` is as [`tokio_postgres::Config`] takes it: `postgres://user:password@host/database`, or `host=/run/postgresql dbname=shop`.
///
/// # Errors
///
/// - [`is_store`](Error::is_store) if the URL is invalid, or outside of a tokio runtime. The server is not asked yet, and may be down.
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    Engine::new(url.parse().map_err(StoreError::failed)?, NoTls, options)
}

/// The same, with connections that are made like this: by `tokio-postgres-rustls`, say, or `postgres-native-tls`.
///
/// # Errors
///
/// - [`is_store`](Error::is_store) outside of a tokio runtime.
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn connect_with<T>(
    config: Config,
    tls: T,
    options: EngineOptions,
) -> Result<Engine, Error>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    Engine::new(config, tls, options)
}

impl Engine {
    pub(crate) fn new<T>(config: Config, tls: T, options: EngineOptions) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = tokio::runtime::Handle::try_current().map_err(StoreError::failed)?;
        let server = Arc::new(Server::new(config, Arc::new(Dialer(tls)), &options));
        let pool = Arc::new(Pool::new(Arc::clone(&server), options.connections.max(1)));
        let (subscriptions, changes) = (Arc::default(), Arc::<Changes>::default());
        let cleared = Arc::downgrade(&pool);
        let new_server = move || {
            cleared.upgrade().inspect(|pool| pool.clear());
        };
        let listened = Arc::clone(&subscriptions);
        let (hub, listen) = Hub::new(Arc::clone(&server), listened, options.poll_every, new_server);
        let process = server.session.process.clone();
        let tell = Arc::clone(&changes).tell(Arc::clone(&pool), process);
        let tidy = tidy(Arc::downgrade(&pool));
        let tasks = [runtime.spawn(listen), runtime.spawn(tell), runtime.spawn(tidy)].map(Task);
        let inner = Inner { options, server, pool, hub, subscriptions, changes, _tasks: tasks };
        Ok(Self(Arc::new(inner)))
    }

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

    /// Returns the store of this name, for what only it can do: [`append_in`](PostgresStore::append_in). [`open_store`] makes a log of it.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the name is invalid, or outside of a tokio runtime. The server is not asked yet.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<PostgresStore, Error> {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        PostgresStore::new(self.clone(), name, options)
    }

    /// Returns the names of the logs in this database and schema, in their order.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if Postgres cannot be reached within 5 s, or its tables cannot be created.
    ///
    /// # Cancel safety
    ///
    /// The tables may have been created.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        Ok(self.all_logs().await.map_err(StoreError::from)?)
    }

    async fn all_logs(&self) -> Result<Vec<LogName>, Failure> {
        let mut lease = self.0.pool.lease_any(WITHIN).await?;
        let ask = lease.connection().query("SELECT log FROM sse_logs ORDER BY log", &[]);
        let rows = timeout(WITHIN, ask).await;
        let rows = rows.map_err(|_| Failure::before(Cause::NoAnswer(WITHIN)))??;
        lease.keep();
        Ok(rows.iter().filter_map(|row| LogName::try_from(row.get::<_, &str>(0)).ok()).collect())
    }
}

impl Inner {
    /// Tells all who follow a log that there is something to see.
    pub(crate) fn has_changed(&self, name: &LogName) {
        self.subscriptions.changed(name);
        self.changes.add(name);
    }
}

async fn tidy(pool: Weak<Pool>) {
    while let Some(pool) = pool.upgrade() {
        pool.close_idle();
        drop(pool);
        sleep(TIDY_EVERY).await;
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("pool", &self.0.pool).finish_non_exhaustive()
    }
}
