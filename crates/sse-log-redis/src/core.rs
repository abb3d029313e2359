use std::fmt;
use std::sync::Arc;

use redis::{Script, ScriptInvocation};
use sse_core::store::{LogName, StoreError};
use sse_core::{Epoch, StoreOptions};

use crate::calls::Caller;
use crate::clock::Clock;
use crate::engine::EngineCore;
use crate::names::Keys;
use crate::page_size::PageSize;
use crate::pending_pages::PendingPages;

/// The store of one log in Redis: [`Engine::store`](crate::Engine::store) returns it, and [`open_store`](crate::open_store) opens its log.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<LogCore>);

/// The state that all operations of one log share.
#[derive(Debug)]
pub(crate) struct LogCore {
    pub(crate) caller: Arc<Caller>,
    pub(crate) name: LogName,
    pub(crate) keys: Keys,
    pub(crate) options: StoreOptions,
    pub(crate) clock: Clock,
    pub(crate) page_size: PageSize,
    pub(crate) pending_pages: PendingPages,
}

impl RedisStore {
    pub(crate) fn new(
        engine: &Arc<EngineCore>,
        name: &str,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let name = LogName::try_from(name)?;
        let keys = Keys::new(&engine.options.prefix, &name);
        // The store notices a connection that does not reply before the log gives up on the call.
        let timeout = options.store_timeout.mul_f64(0.9);
        Ok(Self(Arc::new(LogCore {
            caller: Arc::new(Caller::new(Arc::clone(engine), timeout)),
            name,
            keys,
            options,
            clock: Clock::default(),
            page_size: PageSize::default(),
            pending_pages: PendingPages::default(),
        })))
    }
}

impl LogCore {
    /// Returns a call of the script with the arguments that all scripts take: the keys, and the epoch to begin if the log has none.
    pub(crate) fn invoke<'a>(
        &self,
        script: &'a Script,
    ) -> Result<ScriptInvocation<'a>, StoreError> {
        Ok(self.invoke_in(script, &Epoch::random()?))
    }

    /// The same, with this epoch.
    pub(crate) fn invoke_in<'a>(&self, script: &'a Script, epoch: &Epoch) -> ScriptInvocation<'a> {
        let mut invocation = script.prepare_invoke();
        invocation.key(&self.keys.all()[..]);
        invocation.arg(epoch.as_str());
        invocation
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({})", self.0.name)
    }
}
