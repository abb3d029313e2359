use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sse_core::Error;
use sse_core::store::{LogName, StoreError};
use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::connect::{Dialer, Server};
use crate::error::{Cause, Failure};
use crate::listener::Listener;
use crate::notify::Changes;
use crate::options::EngineOptions;
use crate::pool::Pool;
use crate::subscription::Subscriptions;

/// Interval at which the engine closes idle connections.
const CLOSE_IDLE_EVERY: Duration = Duration::from_secs(10);
/// Maximum time for a query that belongs to no log.
const WITHIN: Duration = Duration::from_secs(5);

/// A Postgres server, or a cluster, that the logs of a process use by shared connections. A clone is the same engine.
///
/// It connects at its first use. It closes its connections within a second after it, and all its logs and stores, were dropped.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

/// The state that the logs of an engine share.
pub(crate) struct Inner {
    pub(crate) options: EngineOptions,
    pub(crate) server: Arc<Server>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) listener: Listener,
    pub(crate) subscriptions: Arc<Subscriptions>,
    changes: Arc<Changes>,
    _tasks: [Task; 3],
}

/// Returns a new engine, with connections that no other engine uses. Call it within a tokio runtime, which runs three tasks for the engine.
///
/// `url` has a form that [`tokio_postgres::Config`] parses: `postgres://user:password@host/database`, or `host=/run/postgresql dbname=shop`.
///
/// # Errors
///
/// - [`is_store`](Error::is_store) if the URL is invalid, or if it is called outside of a tokio runtime. It does not connect to the server yet,
///   which may be down.
///
/// # Cancel safety
///
/// If the future is dropped, nothing has happened.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    Engine::new(url.parse().map_err(StoreError::failed)?, NoTls, options)
}

/// Returns a new engine, as [`connect`] does, that connects by this TLS connector: of `tokio-postgres-rustls`, say, or `postgres-native-tls`. The
/// types are those of the re-exported [`tokio_postgres`](crate::tokio_postgres).
///
/// # Errors
///
/// - [`is_store`](Error::is_store) if it is called outside of a tokio runtime.
///
/// # Cancel safety
///
/// If the future is dropped, nothing has happened.
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
    /// Returns a new engine, and spawns its tasks.
    pub(crate) fn new<T>(config: Config, tls: T, options: EngineOptions) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let server = Arc::new(Server::new(config, Arc::new(Dialer(tls)), &options));
        let pool = Arc::new(Pool::new(Arc::clone(&server), options.connections.max(1)));
        let (subscriptions, changes) = (Arc::default(), Arc::<Changes>::default());
        let cleared = Arc::downgrade(&pool);
        let on_new_server = move || {
            cleared.upgrade().inspect(|pool| pool.clear());
        };
        let listened = Arc::clone(&subscriptions);
        let (listener, listen) =
            Listener::new(Arc::clone(&server), listened, options.poll_every, on_new_server);
        let process = server.session.process.clone();
        let notify = Arc::clone(&changes).notify_others(Arc::clone(&pool), process);
        let close_idle = close_idle(Arc::downgrade(&pool));
        let tasks =
            [runtime.spawn(listen), runtime.spawn(notify), runtime.spawn(close_idle)].map(Task);
        let inner =
            Inner { options, server, pool, listener, subscriptions, changes, _tasks: tasks };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the engine of this URL with these options. All callers in this runtime share it.
    pub(crate) fn shared(url: &str, options: EngineOptions) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?.id();
        let key = Key { url: url.to_owned(), options, runtime };
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|(_, engine)| engine.strong_count() > 0);
        let known = engines.iter().filter(|(known, _)| *known == key);
        let running = known
            .filter_map(|(_, engine)| engine.upgrade())
            // A later runtime may have the same id.
            .find(|engine| !engine.listener.has_ended());
        if let Some(engine) = running {
            return Ok(Self(engine));
        }
        let config = url.parse().map_err(StoreError::failed)?;
        let engine = Self::new(config, NoTls, key.options.clone())?;
        engines.push((key, Arc::downgrade(&engine.0)));
        Ok(engine)
    }

    /// Returns the names of the logs in this database and schema, sorted.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if Postgres cannot be reached within 5 s, or its tables cannot be created.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the tables may have been created.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        Ok(self.all_logs().await.map_err(StoreError::from)?)
    }

    async fn all_logs(&self) -> Result<Vec<LogName>, Failure> {
        let mut lease = self.0.pool.lease_any(WITHIN).await?;
        let query = lease.connection().query("SELECT log FROM sse_logs ORDER BY log", &[]);
        let rows = timeout(WITHIN, query).await;
        let rows = rows.map_err(|_| Failure::before_sending(Cause::NoAnswer(WITHIN)))??;
        lease.keep();
        Ok(rows.iter().filter_map(|row| LogName::try_from(row.get::<_, &str>(0)).ok()).collect())
    }
}

impl Inner {
    /// Notifies all followers of a log, in this process and in others.
    pub(crate) fn notify_followers(&self, name: &LogName) {
        self.subscriptions.notify_own(name);
        self.changes.add(name);
    }
}

/// The engines that were opened by URL, each for as long as it is in use. The URL includes credentials.
static ENGINES: Mutex<Vec<(Key, Weak<Inner>)>> = Mutex::new(Vec::new());

#[derive(PartialEq)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: Id,
}

async fn close_idle(pool: Weak<Pool>) {
    while let Some(pool) = pool.upgrade() {
        pool.close_idle();
        drop(pool);
        sleep(CLOSE_IDLE_EVERY).await;
    }
}

/// A task that is aborted when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("pool", &self.0.pool).finish_non_exhaustive()
    }
}
