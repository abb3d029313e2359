use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_nats::ConnectOptions;
use serde::Deserialize;
use serde_json::json;
use sse_core::Error;
use sse_core::store::{LogName, StoreError};
use tokio::runtime;
use tokio::task::JoinHandle;

use crate::connection::dial::Dial;
use crate::engine::requests::{EngineCore, Requests};
use crate::names::Names;
use crate::options::EngineOptions;

pub(crate) mod requests;
mod watch;

/// A NATS server or cluster, and up to six connections that its logs share. A clone is the same engine.
///
/// ```no_run
/// use sse_log_nats::{EngineOptions, Error, StoreOptions};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Error> {
/// let nats = sse_log_nats::connect("nats://127.0.0.1:4222", EngineOptions::default()).await?;
/// let prices = nats.open("prices", StoreOptions::default()).await?;
/// let orders = nats.open("orders", StoreOptions::default()).await?;
/// assert_eq!(nats.logs().await?.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    core: Arc<EngineCore>,
    /// The task that watches the server.
    watch: Mutex<Option<JoinHandle<()>>>,
}

/// Timeout of requests of the engine itself.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The key by which [`open`](crate::open) finds an engine.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: runtime::Id,
}

static ENGINES: Mutex<Option<HashMap<Key, Weak<Inner>>>> = Mutex::new(None);

impl Engine {
    pub(crate) fn new(
        url: &str,
        connect: ConnectOptions,
        options: EngineOptions,
    ) -> Result<Self, Error> {
        let names = Names::new(&options.prefix, "any").map_err(StoreError::failed)?;
        let dial = Dial::new(url, connect, options.connect_timeout).map_err(StoreError::failed)?;
        let core = EngineCore::new(dial, names.record_subjects, options);
        let core = Arc::new(core.map_err(StoreError::failed)?);
        Ok(Self(Arc::new(Inner { core, watch: Mutex::default() })))
    }

    /// Returns the engine in use for this URL, these options and this runtime. If there is none, it is created.
    pub(crate) fn get_or_create(url: &str, options: EngineOptions) -> Result<Self, Error> {
        let key = Key {
            url: url.to_owned(),
            options: options.clone(),
            runtime: runtime::Handle::current().id(),
        };
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        let engines = engines.get_or_insert_default();
        if let Some(inner) = engines.get(&key).and_then(Weak::upgrade) {
            return Ok(Self(inner));
        }
        let engine = Self::new(url, connect_options(), options)?;
        engines.retain(|_, engine| engine.strong_count() > 0);
        engines.insert(key, Arc::downgrade(&engine.0));
        Ok(engine)
    }

    /// Returns the names of the logs that this NATS has under the prefix, sorted.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if NATS does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping it changes nothing.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        #[derive(Deserialize)]
        struct Streams {
            #[serde(default)]
            total: usize,
            streams: Option<Vec<String>>,
        }
        let requests = self.requests(TIMEOUT);
        let prefix = &self.0.core.options.prefix;
        let (begin, subject) = (format!("{}_", prefix.to_ascii_uppercase()), format!("{prefix}.>"));
        let (mut logs, mut offset) = (Vec::new(), 0);
        loop {
            let request = json!({ "offset": offset, "subject": subject });
            let answer = requests.api("STREAM.NAMES", &request).await;
            let Streams { total, streams } = answer.map_err(StoreError::from)?;
            let streams = streams.unwrap_or_default();
            let names = streams.iter().filter_map(|stream| stream.strip_prefix(&begin));
            logs.extend(names.filter_map(|name| LogName::try_from(name).ok()));
            offset += streams.len();
            if streams.is_empty() || offset >= total {
                logs.sort();
                return Ok(logs);
            }
        }
    }

    pub(crate) fn options(&self) -> &EngineOptions {
        &self.0.core.options
    }

    pub(crate) fn watch(&self) {
        self.0.watch();
    }

    /// Returns the requests of a log, with this timeout.
    pub(crate) fn requests(&self, timeout: std::time::Duration) -> Requests {
        Requests { engine: Arc::clone(&self.0.core), timeout }
    }
}

impl Inner {
    /// Watches the server for as long as this engine is in use.
    fn watch(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.as_ref().is_none_or(JoinHandle::is_finished) {
            *watch = Some(tokio::spawn(watch::watch(Arc::downgrade(&self.core))));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let watch = self.watch.get_mut().unwrap_or_else(PoisonError::into_inner);
        watch.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.0.core.options.prefix)
    }
}

/// Returns the engine of this URL, whose logs share its connections. It connects when a log is first used.
///
/// `url` is `nats://[user:password@]host[:port]`, `nats://token@…`, `tls://…`, or several of one cluster with commas between them, each with its own user.
/// Percent-encode special characters.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL, the prefix or the domain is invalid.
///
/// # Cancel safety
///
/// Dropping it changes nothing.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    connect_with(url, connect_options(), options).await
}

/// Does the same as [`connect`], with these options for its connections: with certificates, for example, or [an nkey or a JWT](crate#tls).
///
/// The engine replaces the timeouts, the interval of pings, the reconnection and the event callback by its own. The options must not be
/// `retry_on_initial_connect` or `no_echo`.
///
/// # Errors
///
/// See [`connect`].
///
/// # Cancel safety
///
/// See [`connect`].
pub async fn connect_with(
    url: &str,
    connect: ConnectOptions,
    options: EngineOptions,
) -> Result<Engine, Error> {
    Engine::new(url, connect, options)
}

fn connect_options() -> ConnectOptions {
    ConnectOptions::new().name("sse-log-nats")
}
