use sse_core::store::StoreError;
use sse_core::{Error, EventLog, StoreOptions, Timer};

use crate::core::NatsStore;
use crate::engine::Engine;
use crate::names::Names;
use crate::options::EngineOptions;

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is as for [`connect`]; logs that are opened with the same URL in one runtime share an [`Engine`]. The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime,
/// which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL or the name is invalid, if NATS cannot be reached, if it is older than 2.10, and if it has no JetStream.
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// The same, with these options; logs share an [`Engine`] if its options are equal, too. With a [`StoreOptions::store_wait`] it waits for a NATS that is
/// down.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    options: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::get_or_create(url, engine)?.open(name, options).await
}

/// The same, of a store of an [`Engine`], with the options that it was given.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: NatsStore) -> Result<EventLog, Error> {
    let (timer, options) = (
        Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep),
        store.0.options,
    );
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}

impl Engine {
    /// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime, which runs the follower for as long as the log is in use. With a
    /// [`StoreOptions::store_wait`] it waits for a NATS that is down.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid, if NATS cannot be reached, if it is older than 2.10, and if it has no JetStream.
    ///
    /// # Cancel safety
    ///
    /// The log may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_store(self.store(name, options).await?).await
    }

    /// The store of the log of this name. It asks NATS when it is first used.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<NatsStore, Error> {
        let names = Names::new(&self.options().prefix, name).map_err(StoreError::failed)?;
        self.watch();
        Ok(NatsStore::new(self.clone(), names, options))
    }
}
