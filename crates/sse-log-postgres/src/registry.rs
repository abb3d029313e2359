use std::sync::{Arc, Mutex, PoisonError, Weak};

use sse_core::Error;
use sse_core::store::StoreError;
use tokio::runtime::{Handle, Id};
use tokio_postgres::NoTls;

use crate::engine::Inner;
use crate::{Engine, EngineOptions};

/// The engines that were opened by URL, each for as long as it is used. Credentials are in the URL.
static ENGINES: Mutex<Vec<(Key, Weak<Inner>)>> = Mutex::new(Vec::new());

#[derive(PartialEq)]
struct Key {
    url: String,
    options: EngineOptions,
    runtime: Id,
}

/// The engine of this URL with these options, which all share that ask for it in this runtime.
pub(crate) fn shared(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    let runtime = Handle::try_current().map_err(StoreError::failed)?.id();
    let key = Key { url: url.to_owned(), options, runtime };
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain(|(_, engine)| engine.strong_count() > 0);
    let known = engines.iter().filter(|(known, _)| *known == key);
    let running = known
        .filter_map(|(_, engine)| engine.upgrade())
        // Another runtime may have been given the same number since.
        .find(|engine| !engine.hub.has_ended());
    if let Some(engine) = running {
        return Ok(Engine(engine));
    }
    let config = url.parse().map_err(StoreError::failed)?;
    let engine = Engine::new(config, NoTls, key.options.clone())?;
    engines.push((key, Arc::downgrade(&engine.0)));
    Ok(engine)
}
