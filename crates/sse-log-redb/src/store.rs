use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;
use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, async_trait};

use crate::failure::Failure;
use crate::file::File;
use crate::tables::{LogTables, LogView};
use crate::transaction::Transaction;
use crate::{Options, admin, append, bounds, follow, open_files, read, retain};

/// The events of one log in a file. [`open`](crate::open) makes an [`EventLog`](crate::EventLog) of it, which is what an application
/// wants; a clone is the same store.
#[derive(Clone)]
pub struct RedbStore {
    file: Arc<File>,
    name: LogName,
    window: Duration,
}

impl RedbStore {
    /// Opens the store of a log, which is created where it is missing.
    ///
    /// # Errors
    ///
    /// As for [`open`](crate::open).
    ///
    /// # Cancel safety
    ///
    /// The log may have been created.
    pub async fn connect(
        path: impl AsRef<Path>,
        name: &str,
        options: &Options,
    ) -> Result<Self, Error> {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        let file = open_files::open(path.as_ref(), options).await?;
        let store = Self { file, name, window: options.log.idempotency_window };
        // It is there from now on.
        store.write(|_| Ok(())).await?;
        Ok(store)
    }

    /// What tells of changes from now on.
    pub(crate) fn changes(&self) -> Receiver<()> {
        self.file.changes(self.name.clone())
    }

    pub(crate) fn log_name(&self) -> &LogName {
        &self.name
    }

    pub(crate) async fn page(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        self.view(move |log| read::read(log, after, limit)).await
    }

    async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&LogView) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let name = self.name.clone();
        let view = move |database: &crate::database::Database| {
            database.read(|txn| look(&LogView::open(txn, &name)?))
        };
        self.file.read(view).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut LogTables<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let name = self.name.clone();
        self.file
            .write(move |transaction: &mut Transaction<'_>| work(transaction.log(&name)?))
            .await
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        let (events, window) = (events.to_vec(), self.window);
        self.write(move |log| append::append(log, &events, window)).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.view(bounds::bounds).await
    }

    async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        self.page(after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Cursor, StoreError> {
        self.view(move |log| read::before_last(log, limit)).await
    }

    async fn follow(&self, after: Cursor) -> Result<Pages, StoreError> {
        Ok(follow::follow(self.clone(), after))
    }

    async fn retain(&self, retention: &Retention) -> Result<(), StoreError> {
        let (retention, window) = (*retention, self.window);
        if self.view(move |log| retain::is_over(log, &retention, window)).await? {
            while self.write(move |log| retain::retain(log, &retention, window)).await? {}
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.write(admin::finish).await
    }

    async fn delete(&self, event: Cursor) -> Result<(), StoreError> {
        self.write(move |log| admin::delete(log, event)).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        self.write(move |log| admin::begin_epoch(log, instead_of)).await
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn largest_cursor(&self) -> Cursor {
        Cursor::from(u64::MAX)
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedbStore({})", self.name)
    }
}
