//! State that the operations of one log share: its file, its handle in this process and its options.

use std::fmt;
use std::sync::Arc;

use sse_core::store::{LogName, StoreError};
use sse_core::{Error, StoreOptions};

use crate::database::Database;
use crate::error::Failure;
use crate::follower_queue::FollowerQueue;
use crate::idempotency::KeyLimits;
use crate::log_tables::LogTables;
use crate::open_logs::OpenLog;
use crate::tables::{Head, LogView};
use crate::threads::FileThreads;
use crate::write_request::RequestOptions;

/// Events of one log in a file: the store that [`Engine::store`](crate::Engine::store) returns. A clone is the same store.
///
/// An application needs an [`EventLog`](crate::EventLog): [`open_store`](crate::open_store) opens one over this store.
#[derive(Clone)]
pub struct RedbStore {
    file: Arc<FileThreads>,
    pub(crate) open_log: Arc<OpenLog>,
    options: StoreOptions,
}

impl RedbStore {
    pub(crate) async fn create(
        file: Arc<FileThreads>,
        name: &str,
        options: StoreOptions,
    ) -> Result<Self, Error> {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        let open_log = file.logs().get(&name);
        let store = Self { file, open_log, options };
        create_if_missing(&store).await?;
        Ok(store)
    }

    /// Returns the limits of the log.
    pub(crate) fn options(&self) -> StoreOptions {
        self.options.clone()
    }

    pub(crate) fn file(&self) -> &Arc<FileThreads> {
        &self.file
    }

    /// Returns a queue that gets each change that the writer makes from now on.
    pub(crate) fn follower_queue(&self) -> Arc<FollowerQueue> {
        let queue = Arc::default();
        self.open_log.follow(&queue);
        queue
    }

    pub(crate) fn key_limits(&self) -> KeyLimits {
        let StoreOptions { idempotency_window: window, events, .. } = self.options;
        KeyLimits { window, events: events.max(1) }
    }

    pub(crate) async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&LogView<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let open_log = Arc::clone(&self.open_log);
        let view = move |database: &Database| {
            database.read(|txn| look(&LogView::open(txn, &open_log.name, &open_log.tables)?))
        };
        self.file.read(view).await
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        options: RequestOptions,
        work: impl Fn(&mut LogTables<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let open_log = Arc::clone(&self.open_log);
        self.file.write(options, move |transaction| work(transaction.log(&open_log)?)).await
    }
}

/// Creates the log if it is missing. It reads first, which is faster, since most logs exist.
async fn create_if_missing(store: &RedbStore) -> Result<(), StoreError> {
    let name = store.open_log.name.clone();
    let is_there = store.file.read(move |database| database.read(|txn| Head::is_in(txn, &name)));
    if !is_there.await? {
        store.write(RequestOptions::SMALL, |_| Ok(())).await?;
    }
    Ok(())
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedbStore({})", self.open_log.name)
    }
}
