use std::sync::{Arc, Mutex, PoisonError, Weak};

use sse_core::store::StoreError;
use tokio::runtime::{Handle, Id};

use crate::engine::{Engine, Inner};
use crate::options::EngineOptions;

/// The engines in use that were not asked for by name. Connections live as long as the runtime they were made in.
static ENGINES: Mutex<Vec<(Key, Weak<Inner>)>> = Mutex::new(Vec::new());

#[derive(PartialEq)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: Id,
}

/// The engine of this URL, with these options, in this runtime.
pub(crate) fn engine(url: &str, options: EngineOptions) -> Result<Engine, StoreError> {
    let runtime = Handle::try_current().map_err(StoreError::failed)?.id();
    let key = Key { url: url.to_owned(), options, runtime };
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain(|(_, engine)| engine.strong_count() > 0);
    let known = engines.iter().find(|(other, _)| *other == key);
    if let Some(engine) = known.and_then(|(_, engine)| engine.upgrade()) {
        return Ok(Engine(engine));
    }
    let engine = Engine::new(&key.url, key.options.clone())?;
    engines.push((key, Arc::downgrade(&engine.0)));
    Ok(engine)
}
