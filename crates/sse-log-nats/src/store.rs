use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_nats::ConnectOptions;
use sse_core::store::{
    Appended, Bounds, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, async_trait};

use crate::Options;
use crate::begun::Begun;
use crate::bounds::Oldest;
use crate::connection::Connection;
use crate::name::Names;
use crate::{admin, append, before_last, bounds, follow, read, retain};

/// The store of one log in NATS. [`open`](crate::open) makes a log of it.
#[derive(Clone)]
pub struct NatsStore(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) connection: Connection,
    pub(crate) names: Names,
    pub(crate) options: Options,
    /// The epoch and the newest position that were last seen.
    pub(crate) seen: Mutex<Option<(Epoch, Cursor)>>,
    pub(crate) oldest: Mutex<Option<Oldest>>,
    /// Of the stream that was created then, what its limits have removed.
    pub(crate) trimmed: Mutex<(String, Cursor)>,
    pub(crate) begun: Begun,
    /// Whether the stream of the records is known to take messages.
    pub(crate) has_records: AtomicBool,
}

impl NatsStore {
    /// The store of this name. It connects when it is first used, so that a NATS that is down is one that is waited for.
    ///
    /// `url` is as for [`open`](crate::open); for credentials that are no password see [`connect_with`](Self::connect_with).
    ///
    /// # Errors
    ///
    /// Where the URL, the name or the prefix is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn connect(url: &str, name: &str, options: &Options) -> Result<Self, Error> {
        let connect = ConnectOptions::new().name("sse-log-nats");
        Self::connect_with(url, connect, name, options).await
    }

    /// The same, with connections that are made like this: with certificates, say, or [an nkey or a JWT](crate#tls).
    ///
    /// Timeouts, the interval of pings, how a connection is made anew and the event callback are the store's own. It must not be
    /// `retry_on_initial_connect` or `no_echo`.
    ///
    /// # Errors
    ///
    /// Where the URL, the name or the prefix is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn connect_with(
        url: &str,
        connect: ConnectOptions,
        name: &str,
        options: &Options,
    ) -> Result<Self, Error> {
        let names = Names::new(&options.prefix, name).map_err(StoreError::failed)?;
        let connection = Connection::new(url, connect, options).map_err(StoreError::failed)?;
        Ok(Self(Arc::new(Shared {
            connection,
            names,
            options: options.clone(),
            seen: Mutex::default(),
            oldest: Mutex::default(),
            trimmed: Mutex::new((String::new(), Cursor::START)),
            begun: Begun::default(),
            has_records: AtomicBool::new(false),
        })))
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
