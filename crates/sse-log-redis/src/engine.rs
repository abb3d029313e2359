use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use sse_core::Error;
use sse_core::store::StoreError;
use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;

use crate::options::EngineOptions;
use crate::scripts::Scripts;
use crate::servers::Servers;
use crate::{address, names};

/// The interval at which an engine checks the identity of its servers.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A Redis, or the masters of a cluster. All logs of an engine share its connections.
///
/// A clone is another handle. The engine closes its connections within 1 s after the last handle and the last log are dropped.
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
pub struct Engine(pub(crate) Arc<EngineCore>);

/// The state that all logs of an engine share.
#[derive(Debug)]
pub(crate) struct EngineCore {
    pub(crate) options: EngineOptions,
    pub(crate) scripts: Scripts,
    pub(crate) servers: Servers,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

/// Returns the engine at this URL. The engine connects at its first call.
///
/// `url` is `redis://[user:password@]host[:port][/database]`, `rediss://` with the feature `tls`, or `unix:///path`. In the user and the
/// password, percent-encode each character that is no letter or digit (a comma as `%2C`).
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL is invalid, if the prefix has braces, or if the URL requires a feature that is off: `rediss://`
/// requires the feature `tls`, several nodes require the feature `cluster`.
///
/// # Cancel safety
///
/// If it is dropped, nothing has happened.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    Ok(Engine::new(url, options)?)
}

impl Engine {
    fn new(url: &str, options: EngineOptions) -> Result<Self, StoreError> {
        #[cfg(feature = "tls")]
        {
            // If the application has installed a provider, that one stays, and this returns an error.
            _ = rustls::crypto::ring::default_provider().install_default();
        }
        names::check_prefix(&options.prefix).map_err(StoreError::failed)?;
        let named = address::parse_url(url).map_err(StoreError::failed)?;
        let servers = Servers::new(named, options.connect_timeout);
        let watcher = Mutex::default();
        Ok(Self(Arc::new(EngineCore { options, scripts: Scripts::new(), servers, watcher })))
    }

    /// Returns the engine that this process has for this URL, these options and this runtime; makes it if there is none.
    pub(crate) fn shared(url: &str, options: EngineOptions) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?.id();
        let key = Key { url: url.to_owned(), options, runtime };
        let mut engines = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|(_, engine)| engine.strong_count() > 0);
        let known = engines.iter().find(|(other, _)| *other == key);
        if let Some(engine) = known.and_then(|(_, engine)| engine.upgrade()) {
            return Ok(Self(engine));
        }
        let engine = Self::new(&key.url, key.options.clone())?;
        engines.push((key, Arc::downgrade(&engine.0)));
        Ok(engine)
    }
}

/// The engines that [`open`](crate::open) and [`open_with`](crate::open_with) share. A connection lives as long as the runtime that made it.
static SHARED: Mutex<Vec<(Key, Weak<EngineCore>)>> = Mutex::new(Vec::new());

#[derive(PartialEq)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: Id,
}

impl EngineCore {
    /// Starts to check the servers, for as long as the engine is in use.
    pub(crate) fn watch(self: &Arc<Self>) {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // A watcher ends with its runtime; the next runtime starts another.
        if watcher.as_ref().is_none_or(JoinHandle::is_finished) {
            *watcher = Some(tokio::spawn(watch(Arc::downgrade(self))));
        }
    }
}

impl Drop for EngineCore {
    fn drop(&mut self) {
        let watcher = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        watcher.iter().for_each(JoinHandle::abort);
    }
}

async fn watch(engine: Weak<EngineCore>) {
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        let Some(servers) = engine.upgrade().map(|engine| engine.servers.all()) else { return };
        let checks = servers.iter().map(async |server| {
            let is_master = server.check().await;
            (server, is_master)
        });
        for (server, is_master) in join_all(checks).await {
            if let (false, Some(engine)) = (is_master, engine.upgrade()) {
                engine.servers.switch_from(server);
            }
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.0.options).finish()
    }
}
