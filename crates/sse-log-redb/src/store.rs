use std::fmt;
use std::sync::Arc;

use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, StoreOptions, async_trait};

use crate::failure::Failure;
use crate::file::File;
use crate::given::Slot;
use crate::known::Known;
use crate::once::{Age, Memory};
use crate::tables::{Head, LogView};
use crate::work::Manner;
use crate::writing::LogTables;
use crate::{admin, append, bounds, follow, read, retain};

/// The events of one log in a file. [`Engine::store`](crate::Engine::store) returns one, and [`open_store`](crate::open_store) makes an
/// [`EventLog`](crate::EventLog) of it, which is what an application wants; a clone is the same store.
#[derive(Clone)]
pub struct RedbStore {
    file: Arc<File>,
    known: Arc<Known>,
    options: StoreOptions,
}

impl RedbStore {
    pub(crate) async fn create(
        file: Arc<File>,
        name: &str,
        options: StoreOptions,
    ) -> Result<Self, Error> {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        let known = file.logs().get(&name);
        let store = Self { file, known, options };
        create_if_missing(&store).await?;
        Ok(store)
    }

    /// What the log keeps, and accepts.
    pub(crate) fn options(&self) -> StoreOptions {
        self.options
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// What is handed over by the writer from now on.
    pub(crate) fn follow_slot(&self) -> Arc<Slot> {
        let slot = Arc::default();
        self.known.follow(&slot);
        slot
    }

    pub(crate) async fn page(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        self.view(move |log| read::read(log, after, limit)).await
    }

    fn memory(&self) -> Memory {
        let StoreOptions { idempotency_window: window, events, .. } = self.options;
        Memory { window, events: events.max(1) }
    }

    async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&LogView) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let known = Arc::clone(&self.known);
        let view = move |database: &crate::database::Database| {
            database.read(|txn| look(&LogView::open(txn, &known.name, &known.tables)?))
        };
        self.file.read(view).await
    }

    async fn write<T: Send + 'static>(
        &self,
        manner: Manner,
        work: impl Fn(&mut LogTables<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let known = Arc::clone(&self.known);
        self.file.write(manner, move |transaction| work(transaction.log(&known)?)).await
    }
}

/// Creates the log if it is missing. Most are there: that is read, which is faster.
async fn create_if_missing(store: &RedbStore) -> Result<(), StoreError> {
    let name = store.known.name.clone();
    let is_there = store.file.read(move |database| database.read(|txn| Head::is_in(txn, &name)));
    if !is_there.await? {
        store.write(Manner::SMALL, |_| Ok(())).await?;
    }
    Ok(())
}

#[async_trait]
impl Store for RedbStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        let (memory, retention) = (self.memory(), self.options.retention());
        let size = events.iter().map(|event| event.block.len()).sum();
        // While there is still time to say that nothing was stored.
        let manner = Manner::adds(size, self.options.store_timeout * 4 / 5);
        let append = {
            let events = events.to_vec();
            move |log: &mut LogTables<'_>| {
                log.retention = Some(retention);
                append::append(log, &events, memory)
            }
        };
        self.write(manner, append).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.view(|log| bounds::of(&log.head, &log.events)).await
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
        let (retention, window) = (*retention, self.options.idempotency_window);
        let known = Arc::clone(&self.known);
        let is_over = self.file.read(move |database| {
            let age = Age { window, time: database.time() };
            database.read(|txn| retain::is_over(txn, &known, &retention, age))
        });
        if is_over.await? {
            let retain = move |log: &mut LogTables<'_>| {
                let age = Age { window, time: log.time };
                retain::retain(log, &retention, age)
            };
            while self.write(Manner::MAKES_ROOM, retain).await? {}
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.write(Manner::SMALL, admin::finish).await
    }

    async fn delete(&self, event: Cursor) -> Result<(), StoreError> {
        self.write(Manner::MAKES_ROOM, move |log| admin::delete(log, event)).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        let known = Arc::clone(&self.known);
        let begin = move |transaction: &mut crate::transaction::Transaction<'_>| {
            let txn = transaction.txn();
            admin::begin_epoch(txn, transaction.log(&known)?, instead_of)
        };
        self.file.write(Manner::SMALL, begin).await
    }

    fn name(&self) -> &str {
        self.known.name.as_str()
    }

    fn largest_cursor(&self) -> Cursor {
        Cursor::from(u64::MAX)
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedbStore({})", self.known.name)
    }
}
