use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use sse_core::store::{LogName, StoreError};
use sse_core::{Error, EventLog, StoreOptions};
use tokio::task::JoinHandle;

use crate::nodes::Nodes;
use crate::script::Scripts;
use crate::{EngineOptions, RedisStore, logs, name, node, open_store};

/// How often the servers are asked who they are.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A Redis, or the masters of a cluster: all logs in it share its connections.
///
/// A clone is another handle. When the last handle and the last log are dropped the connections are closed, within 1 s.
///
/// ```no_run
/// use sse_log_redis::{EngineOptions, Error, StoreOptions};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Error> {
/// let redis = sse_log_redis::connect("redis://127.0.0.1/", EngineOptions::default()).await?;
/// let prices = redis.open("prices", StoreOptions::default()).await?;
/// prices.append("12.50").await?;
/// assert!(redis.logs().await?.iter().any(|name| name.as_str() == "prices"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: EngineOptions,
    pub(crate) scripts: Scripts,
    pub(crate) nodes: Nodes,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    pub(crate) fn new(url: &str, options: EngineOptions) -> Result<Self, StoreError> {
        #[cfg(feature = "tls")]
        {
            // If the application has chosen one, that stays.
            _ = rustls::crypto::ring::default_provider().install_default();
        }
        name::check_prefix(&options.prefix).map_err(StoreError::failed)?;
        let named = node::parse(url).map_err(StoreError::failed)?;
        let nodes = Nodes::new(named, options.connect_timeout);
        let watcher = Mutex::default();
        Ok(Self(Arc::new(Inner { options, scripts: Scripts::new(), nodes, watcher })))
    }

    /// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`. To be called within a tokio runtime, which runs the follower for as long as the log is in use.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid, or if Redis cannot be reached within [`StoreOptions::store_wait`], or will not do.
    ///
    /// # Cancel safety
    ///
    /// The log may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_store(self.store(name, options).await?).await
    }

    /// Returns the store of this name. It connects when it is first used, so that a Redis that is down is one that is waited for.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<RedisStore, Error> {
        Ok(RedisStore::new(&self.0, name, options)?)
    }

    /// Returns the names of the logs with this engine's prefix, in order. It walks over all keys of the database.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if Redis cannot be reached, or refuses.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        Ok(logs::logs(&self.0).await?)
    }
}

impl Inner {
    /// Has the servers watched for as long as the engine is in use.
    pub(crate) fn watch(self: &Arc<Self>) {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with its runtime.
        if watcher.as_ref().is_none_or(JoinHandle::is_finished) {
            *watcher = Some(tokio::spawn(watch(Arc::downgrade(self))));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let watcher = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        watcher.iter().for_each(JoinHandle::abort);
    }
}

async fn watch(engine: Weak<Inner>) {
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        let Some(servers) = engine.upgrade().map(|engine| engine.nodes.all()) else { return };
        let checks = servers.iter().map(async |server| {
            let is_master = server.check().await;
            (server, is_master)
        });
        for (server, is_master) in join_all(checks).await {
            if let (false, Some(engine)) = (is_master, engine.upgrade()) {
                engine.nodes.go_on(server);
            }
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.0.options).finish()
    }
}
