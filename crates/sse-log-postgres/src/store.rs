use std::fmt;
use std::sync::Arc;

use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, StoreOptions, async_trait};
use tokio::runtime::Handle;

use crate::append::Jobs;
use crate::log::Log;
use crate::{Engine, admin, append, bounds, follow, read, retain};

/// The store of one log in Postgres, of an [`Engine`]. [`open_store`](crate::open_store) makes a log of it; a clone is the same store.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) log: Arc<Log>,
    /// To what writes what is appended.
    jobs: Jobs,
}

impl PostgresStore {
    pub(crate) fn new(engine: Engine, name: LogName, options: StoreOptions) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        let log = Arc::new(Log::new(engine, name, options));
        let jobs = append::start(&log, &runtime);
        Ok(Self { log, jobs })
    }

    /// How the log was opened.
    pub fn options(&self) -> StoreOptions {
        self.log.options
    }

    /// Has the log be there, and its time be known.
    pub(crate) async fn ensure_open(&self) -> Result<(), StoreError> {
        if self.log.now().is_none() {
            bounds::bounds(&self.log).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        self.ensure_open().await?;
        Ok(append::append(&self.jobs, events).await?)
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(bounds::bounds(&self.log).await?)
    }

    async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        Ok(read::read(&self.log, after, limit).await?)
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Cursor, StoreError> {
        Ok(read::before_last(&self.log, limit).await?)
    }

    async fn follow(&self, after: Cursor) -> Result<Pages, StoreError> {
        Ok(follow::follow(Arc::clone(&self.log), after).await?)
    }

    async fn retain(&self, retention: &Retention) -> Result<(), StoreError> {
        Ok(retain::retain(&self.log, retention).await?)
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.ensure_open().await?;
        admin::finish(&self.log).await?;
        self.log.has_changed();
        Ok(())
    }

    async fn delete(&self, event: Cursor) -> Result<(), StoreError> {
        self.ensure_open().await?;
        admin::delete(&self.log, event).await?;
        self.log.has_changed();
        Ok(())
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        self.ensure_open().await?;
        let epoch = admin::begin_epoch(&self.log, instead_of).await?;
        self.log.has_changed();
        Ok(epoch)
    }

    /// An event shows once no transaction can come before it.
    fn shows_at_once(&self) -> bool {
        false
    }

    fn name(&self) -> &str {
        self.log.name.as_str()
    }

    fn largest_cursor(&self) -> Cursor {
        const LARGEST: u64 = (1 << 48) - 1; // the tables see to it
        Cursor::new(LARGEST, LARGEST)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.log.name)
    }
}
