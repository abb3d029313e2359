use std::fmt;
use std::sync::Arc;

use redis::{Script, ScriptInvocation};
use sse_core::store::{
    Appended, Bounds, LogName, NewEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Cursor, Epoch, StoreOptions, async_trait};

use crate::clock::Clock;
use crate::coming::Coming;
use crate::engine::Inner;
use crate::name::Keys;
use crate::pace::Pace;
use crate::route::Route;
use crate::{admin, append, bounds, follow, read, retain};

/// The store of one log in Redis: [`Engine::store`](crate::Engine::store) gives it, and [`open_store`](crate::open_store) makes a log of it.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) route: Arc<Route>,
    name: LogName,
    pub(crate) keys: Keys,
    pub(crate) options: StoreOptions,
    pub(crate) clock: Clock,
    pub(crate) pace: Pace,
    pub(crate) coming: Coming,
}

impl RedisStore {
    pub(crate) fn new(
        engine: &Arc<Inner>,
        name: &str,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let name = LogName::try_from(name)?;
        let keys = Keys::new(&engine.options.prefix, &name);
        // A connection that does not answer is noticed before the log gives up on the call.
        let timeout = options.store_timeout.mul_f64(0.9);
        Ok(Self(Arc::new(Shared {
            route: Arc::new(Route::new(Arc::clone(engine), timeout)),
            name,
            keys,
            options,
            clock: Clock::default(),
            pace: Pace::default(),
            coming: Coming::default(),
        })))
    }
}

impl Shared {
    /// A script with what each of them is given: the keys, and an epoch for where there is none.
    pub(crate) fn invoke<'a>(
        &self,
        script: &'a Script,
    ) -> Result<ScriptInvocation<'a>, StoreError> {
        let Keys { stream, meta, newest_of_key, once } = &self.keys;
        let mut invocation = script.prepare_invoke();
        invocation.key(&[stream, meta, newest_of_key, once]);
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
