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
    pub(crate) listener: Listener,
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
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let server = Arc::new(Server::new(config, Arc::new(Dialer(tls)), &options));
        let pool = Arc::new(Pool::new(Arc::clone(&server), options.connections.max(1)));
        let (subscriptions, changes) = (Arc::default(), Arc::<Changes>::default());
        let cleared = Arc::downgrade(&pool);
        let new_server = move || {
            cleared.upgrade().inspect(|pool| pool.clear());
        };
        let listened = Arc::clone(&subscriptions);
        let (listener, listen) =
            Listener::new(Arc::clone(&server), listened, options.poll_every, new_server);
        let process = server.session.process.clone();
        let tell = Arc::clone(&changes).tell(Arc::clone(&pool), process);
        let tidy = tidy(Arc::downgrade(&pool));
        let tasks = [runtime.spawn(listen), runtime.spawn(tell), runtime.spawn(tidy)].map(Task);
        let inner =
            Inner { options, server, pool, listener, subscriptions, changes, _tasks: tasks };
        Ok(Self(Arc::new(inner)))
    }

    /// The engine of this URL with these options, which all share that ask for it in this runtime.
    pub(crate) fn shared(url: &str, options: EngineOptions) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?.id();
        let key = Key { url: url.to_owned(), options, runtime };
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|(_, engine)| engine.strong_count() > 0);
        let known = engines.iter().filter(|(known, _)| *known == key);
        let running = known
            .filter_map(|(_, engine)| engine.upgrade())
            // Another runtime may have been given the same number since.
            .find(|engine| !engine.listener.has_ended());
        if let Some(engine) = running {
            return Ok(Self(engine));
        }
        let config = url.parse().map_err(StoreError::failed)?;
        let engine = Self::new(config, NoTls, key.options.clone())?;
        engines.push((key, Arc::downgrade(&engine.0)));
        Ok(engine)
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

/// The engines that were opened by URL, each for as long as it is used. Credentials are in the URL.
static ENGINES: Mutex<Vec<(Key, Weak<Inner>)>> = Mutex::new(Vec::new());

#[derive(PartialEq)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: Id,
}

async fn tidy(pool: Weak<Pool>) {
    while let Some(pool) = pool.upgrade() {
        pool.close_idle();
        drop(pool);
        sleep(TIDY_EVERY).await;
    }
}

/// A task that ends when this is dropped.
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
