use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use sse_core::store::{
    Appended, Bounds, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, StoreOptions, async_trait};

use crate::Engine;
use crate::begun::Begun;
use crate::changes::Told;
use crate::holes::Holes;
use crate::keeping::Keeping;
use crate::link::Link;
use crate::name::Names;
use crate::oldest::Oldest;
use crate::recent::Recent;
use crate::{admin, append, before_last, bounds, follow, read, retain};

/// The store of one log in NATS, of an [`Engine`]. [`open_store`](crate::open_store) makes a log of it.
#[derive(Clone)]
pub struct NatsStore(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) connection: Link,
    pub(crate) names: Names,
    pub(crate) options: StoreOptions,
    /// The epoch and the newest position that were last seen.
    pub(crate) seen: Mutex<Option<(Epoch, Cursor)>>,
    /// How many bytes a message has, on average.
    pub(crate) average: AtomicU64,
    pub(crate) oldest: Mutex<Option<Oldest>>,
    /// Of the stream that was created then, what its limits have removed.
    pub(crate) trimmed: Mutex<(String, Cursor)>,
    pub(crate) begun: Begun,
    pub(crate) holes: Holes,
    pub(crate) keeping: Keeping,
    pub(crate) recent: Recent,
    /// What is told of its record.
    pub(crate) told: Arc<Told>,
    /// Is in use for as long as this is.
    _engine: Engine,
}

impl NatsStore {
    pub(crate) fn new(engine: Engine, names: Names, options: StoreOptions) -> Self {
        let connection = engine.link(options.store_timeout);
        Self(Arc::new(Shared {
            told: connection.engine.changes.of(&names.record),
            connection,
            names,
            options,
            seen: Mutex::default(),
            average: AtomicU64::new(0),
            oldest: Mutex::default(),
            trimmed: Mutex::new((String::new(), Cursor::START)),
            begun: Begun::default(),
            holes: Holes::default(),
            keeping: Keeping::default(),
            recent: Recent::default(),
            _engine: engine,
        }))
    }
}

impl fmt::Debug for NatsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsStore({})", self.0.names.log)
    }
}

#[async_trait]
impl Store for NatsStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        append::append(&self.0, events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(bounds::look(&self.0).await?.bounds)
    }

    async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        read::read(&self.0, after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Cursor, StoreError> {
        before_last::before_last(&self.0, limit).await
    }

    async fn follow(&self, after: Cursor) -> Result<Pages, StoreError> {
        follow::follow(&self.0, after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<(), StoreError> {
        retain::retain(&self.0, retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        admin::finish(&self.0).await
    }

    async fn delete(&self, event: Cursor) -> Result<(), StoreError> {
        admin::delete(&self.0, event).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        admin::begin_epoch(&self.0, instead_of).await
    }

    fn name(&self) -> &str {
        self.0.names.log.as_str()
    }

    fn largest_cursor(&self) -> Cursor {
        // A message has fewer bytes than that.
        Cursor::new(u64::MAX, u32::MAX.into())
    }
}
