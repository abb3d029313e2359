use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Script, ScriptInvocation};
use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, Error, async_trait};

use crate::Options;
use crate::connection::Connections;
use crate::name::Keys;
use crate::node::Nodes;
use crate::script::Scripts;
use crate::sizes::Sizes;
use crate::{admin, append, bounds, follow, read, retain};

/// The store of one log in Redis. [`open`](crate::open) makes a log of it.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connections: Connections,
    pub(crate) scripts: Scripts,
    name: LogName,
    pub(crate) keys: Keys,
    pub(crate) idempotency_window: Duration,
    pub(crate) sizes: Sizes,
}

impl RedisStore {
    /// The store of this name. It connects when it is first used, so that a Redis that is down is one that is waited for.
    ///
    /// # Errors
    ///
    /// Where the URL or the name is none, the prefix has braces, or the URL wants what is not there: `rediss://` the feature `tls`, several nodes
    /// the feature `cluster`.
    ///
    /// # Cancel safety
    ///
    /// Nothing has happened when it is dropped.
    pub async fn connect(url: &str, name: &str, options: &Options) -> Result<Self, Error> {
        #[cfg(feature = "tls")]
        {
            // Where the application has chosen one, that stays.
            _ = rustls::crypto::ring::default_provider().install_default();
        }
        let name = LogName::try_from(name).map_err(StoreError::from)?;
        let keys = Keys::new(&options.prefix, &name).map_err(StoreError::failed)?;
        let nodes = Nodes::parse(url).map_err(StoreError::failed)?;
        // A connection that does not answer is noticed before the log gives up on the call.
        let response_timeout = options.log.store_timeout.mul_f64(0.9);
        let connections = Connections::new(nodes, options.connect_timeout, response_timeout);
        Ok(Self(Arc::new(Shared {
            connections,
            scripts: Scripts::new(),
            name,
            keys,
            idempotency_window: options.log.idempotency_window,
            sizes: Sizes::default(),
        })))
    }
}

impl Shared {
    /// A script with what each of them is given: the keys, and an epoch for where there is none.
    pub(crate) fn invoke<'a>(
        &self,
        script: &'a Script,
    ) -> Result<ScriptInvocation<'a>, StoreError> {
        let Keys { stream, meta, newest_of_key, changes } = &self.keys;
        let mut invocation = script.prepare_invoke();
        invocation.key(&[stream, meta, newest_of_key, changes]);
        invocation.arg(Epoch::random()?.as_str());
        Ok(invocation)
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        append::append(&self.0, events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        bounds::bounds(&self.0).await
    }

    async fn read(&self, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
        read::read(&self.0, after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Cursor, StoreError> {
        read::before_last(&self.0, limit).await
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
        self.0.name.as_str()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({})", self.0.name)
    }
}
