use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, async_trait};
use tokio::sync::{mpsc, watch};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::append::Jobs;
use crate::connection::Connections;
use crate::dial::Dialer;
use crate::session::Session;
use crate::{Options, admin, announce, append, bounds, follow, read, retain};

/// The store of one log in Postgres. [`open`](crate::open) makes a log of it; a clone is the same store.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) shared: Arc<Shared>,
    /// To whoever writes what is appended.
    pub(crate) jobs: Jobs,
    /// To whoever tells other processes that something has changed.
    changes: mpsc::Sender<()>,
}

/// What the store has in common with its tasks and followers.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connections: Connections,
    pub(crate) name: LogName,
    pub(crate) window: Duration,
    pub(crate) largest_event: usize,
    pub(crate) poll_every: Duration,
    /// Changes when something was changed from here.
    pub(crate) changed_here: watch::Sender<()>,
}

impl PostgresStore {
    /// The store of this name. It connects when it is first used, so that a server that is down is one that is waited for. To be called within
    /// a tokio runtime, which has a few tasks for it until it is dropped.
    ///
    /// `url` is as [`tokio_postgres::Config`] takes it; for encrypted connections see [`connect_with`](Self::connect_with).
    ///
    /// # Errors
    ///
    /// Where the URL or the name is none. (A URL with `sslmode=require` is one; each call fails then.)
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn connect(url: &str, name: &str, options: &Options) -> Result<Self, Error> {
        let config: Config = url.parse().map_err(StoreError::failed)?;
        Self::connect_with(config, NoTls, name, options).await
    }

    /// The same, with connections that are made like this: by `tokio-postgres-rustls`, say, or `postgres-native-tls`.
    ///
    /// # Errors
    ///
    /// Where the name is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn connect_with<T>(
        config: Config,
        tls: T,
        name: &str,
        options: &Options,
    ) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        let session = Session::new(name.clone(), options);
        let dial = Arc::new(Dialer(tls));
        let shared = Arc::new(Shared {
            connections: Connections::new(config, dial, session, options),
            name,
            window: options.log.idempotency_window,
            largest_event: options.log.largest_event,
            poll_every: options.poll_every.max(Duration::from_millis(1)),
            changed_here: watch::Sender::new(()),
        });
        let changes = announce::start(Arc::clone(&shared));
        let jobs = append::start(&shared, &changes);
        Ok(Self { shared, jobs, changes })
    }

    /// Tells all who follow that there is something to see.
    fn has_changed(&self) {
        announce::announce(&self.shared, &self.changes);
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        Ok(append::append(&self.jobs, events).await?)
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(bounds::bounds(&self.shared).await?)
    }

    async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        Ok(read::read(&self.shared, after, limit).await?)
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Cursor, StoreError> {
        Ok(read::before_last(&self.shared, limit).await?)
    }

    async fn follow(&self, after: Cursor) -> Result<Pages, StoreError> {
        Ok(follow::follow(Arc::clone(&self.shared), after).await?)
    }

    async fn retain(&self, retention: &Retention) -> Result<(), StoreError> {
        Ok(retain::retain(&self.shared, retention).await?)
    }

    async fn finish(&self) -> Result<(), StoreError> {
        admin::finish(&self.shared).await?;
        self.has_changed();
        Ok(())
    }

    async fn delete(&self, event: Cursor) -> Result<(), StoreError> {
        admin::delete(&self.shared, event).await?;
        self.has_changed();
        Ok(())
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        let epoch = admin::begin_epoch(&self.shared, instead_of).await?;
        self.has_changed();
        Ok(epoch)
    }

    fn name(&self) -> &str {
        self.shared.name.as_str()
    }

    fn largest_cursor(&self) -> Cursor {
        const LARGEST: u64 = (1 << 48) - 1; // the tables see to it
        Cursor::new(LARGEST, LARGEST)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.shared.name)
    }
}
