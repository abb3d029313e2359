use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sse_core::store::LogName;
use sse_core::{Error, EventLog, StoreOptions};

use crate::core::RedbStore;
use crate::options::EngineOptions;
use crate::threads::FileThreads;
use crate::{open_files, tables};

/// A file of logs that this process has open. [`connect`](crate::connect) returns it; a clone is the same engine.
///
/// All logs of a file share its threads. The file closes a moment after its last engine, store and log were dropped.
#[derive(Clone)]
pub struct Engine {
    file: Arc<FileThreads>,
    path: PathBuf,
}

impl Engine {
    pub(crate) async fn open_file(path: &Path, options: &EngineOptions) -> Result<Self, Error> {
        let file = open_files::open(path, options).await?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Opens the log of this name, and creates it if it is missing. The engine's threads follow the log while it is in use.
    ///
    /// A name has 1 to 64 of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the name is invalid, or if the file cannot be read or written; the `source` says which.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the log may have been created.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
        open_log(self.store(name, options).await?).await
    }

    /// Returns the store of this name, and creates the log if it is missing. An application needs [`open`](Engine::open).
    ///
    /// # Errors
    ///
    /// The same as for [`open`](Engine::open).
    ///
    /// # Cancel safety
    ///
    /// The same as for [`open`](Engine::open).
    pub async fn store(&self, name: &str, options: StoreOptions) -> Result<RedbStore, Error> {
        RedbStore::create(Arc::clone(&self.file), name, options).await
    }

    /// Returns the names of all logs in the file, in alphabetical order.
    ///
    /// ```
    /// # futures_executor::block_on(async {
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let path = folder.path().join("events.redb");
    /// use sse_log_redb::{EngineOptions, StoreOptions};
    ///
    /// let redb = sse_log_redb::connect(&path, EngineOptions::default()).await?;
    /// redb.open("prices", StoreOptions::default()).await?;
    /// redb.open("news", StoreOptions::default()).await?;
    /// let names: Vec<_> = redb.logs().await?.iter().map(ToString::to_string).collect();
    /// assert_eq!(names, ["news", "prices"]);
    /// # Ok::<(), sse_log_redb::Error>(())
    /// # }).expect("a file in a temporary folder can be written");
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the file cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn logs(&self) -> Result<Vec<LogName>, Error> {
        Ok(self.file.read(|database| database.read(tables::names)).await?)
    }
}

/// Opens the log of a store, and makes the threads of its file follow the log.
pub(crate) async fn open_log(store: RedbStore) -> Result<EventLog, Error> {
    let (options, timer) = (store.options(), store.file().timer());
    let file = Arc::clone(store.file());
    let (log, follower) = EventLog::open(store, options, timer).await?;
    file.follow(follower);
    Ok(log)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.path.display())
    }
}
