use std::fmt;
use std::sync::Arc;

use sse_core::store::{LogName, StoreError};
use sse_core::{Error, EventLog, StoreOptions};
use tokio::runtime::Handle;

use crate::core::LogCore;
use crate::engine::Engine;
use crate::writer::Writer;

/// The store of one log in Postgres, made by an [`Engine`]. [`open_store`](crate::open_store) opens its log. A clone is the same store.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) log: Arc<LogCore>,
    pub(crate) writer: Writer,
}

impl PostgresStore {
    fn new(engine: Engine, name: LogName, options: StoreOptions) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let log = Arc::new(LogCore::new(engine, name, options));
        let writer = Writer::start(&log, &runtime);
        Ok(Self { log, writer })
    }

    pub(crate) fn options(&self) -> StoreOptions {
        self.log.options.clone()
    }
}

impl Engine {
    /// Opens the log of this name, and follows it: the streams of this process get the events that this and all other processes append. If
    /// [`StoreOptions::store_wait`] is set, it waits for a server that is down.
    ///
    /// The name is 1 to 64 of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the name is invalid, if Postgres cannot be reached, if its tables cannot be created, and if a pooler in
    ///   between does not pool by session.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the tables, and the log, may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        crate::open_store(self.store(name, options).await?).await
    }

    /// Returns the store of this name, for [`append_in`](PostgresStore::append_in), which only a store has. [`open_store`](crate::open_store) opens
    /// its log.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the name is invalid, or if it is called outside of a tokio runtime. It does not connect to the server yet.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing has happened.
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<PostgresStore, Error> {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        PostgresStore::new(self.clone(), name, options)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.log.name)
    }
}
