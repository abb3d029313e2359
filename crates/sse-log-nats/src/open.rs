use sse_core::store::StoreError;
use sse_core::{Error, EventLog, StoreOptions, Timer};

use crate::core::NatsStore;
use crate::engine::Engine;
use crate::names::Names;
use crate::options::EngineOptions;

/// Opens the log of this name, and follows it: streams of this process get the events that any process appends.
///
/// For `url` see [`connect`](crate::connect). Logs that are opened with the same URL in one runtime share an [`Engine`]. The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime,
/// which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL or the name is invalid, if NATS cannot be reached, if it is older than 2.10, or if it has no JetStream.
///
/// # Cancel safety
///
/// If it is dropped, the log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// Does the same as [`open`], with these options. Logs share an [`Engine`] if its options are equal, too. With a [`StoreOptions::store_wait`] it waits for a NATS that is
/// down.
///
/// # Errors
///
/// See [`open`].
///
/// # Cancel safety
///
/// See [`open`].
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    options: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::get_or_create(url, engine)?.open(name, options).await
}

/// Opens the log of a store, with the options of the store.
///
/// # Errors
///
/// See [`open`].
///
/// # Cancel safety
///
/// See [`open`].
pub async fn open_store(store: NatsStore) -> Result<EventLog, Error> {
    let (timer, options) = (
        Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep),
        store.0.options.clone(),
    );
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}

impl Engine {
    /// Opens the log of this name, and follows it: streams of this process get the events that any process appends.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime, which runs the follower for as long as the log is in use. With a
    /// [`StoreOptions::store_wait`] it waits for a NATS that is down.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid, if NATS cannot be reached, if it is older than 2.10, or if it has no JetStream.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the log may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_store(self.store(name, options).await?).await
    }

    /// Returns the store of the log of this name. It sends its first request when it is first used.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid.
    ///
    /// # Cancel safety
    ///
    /// Dropping it changes nothing.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<NatsStore, Error> {
        let names = Names::new(&self.options().prefix, name).map_err(StoreError::failed)?;
        self.watch();
        Ok(NatsStore::new(self.clone(), names, options))
    }
}
