//! The stores of an engine, by its URL.

use std::sync::Arc;

use sse_core::StoreOptions;
use sse_core::store::Store;

use crate::{Result, USAGE};

/// An engine that may hold many logs.
pub(crate) enum Engine {
    Redb(sse_log_redb::Engine),
    Redis(sse_log_redis::Engine),
    Nats(sse_log_nats::Engine),
    Postgres(sse_log_postgres::Engine),
}

/// Does the same with each engine.
macro_rules! each {
    ($engine:ident, $in:ident => $what:expr) => {
        match $engine {
            Engine::Redb($in) => $what,
            Engine::Redis($in) => $what,
            Engine::Nats($in) => $what,
            Engine::Postgres($in) => $what,
        }
    };
}

impl Engine {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        Ok(match url.split_once(':') {
            Some(("redb", path)) => {
                // Opening it would create it, with nothing in it.
                std::fs::metadata(path).map_err(|error| format!("{path}: {error}"))?;
                Self::Redb(sse_log_redb::connect(path, Default::default()).await?)
            }
            Some(("redis", url)) => {
                Self::Redis(sse_log_redis::connect(url, Default::default()).await?)
            }
            Some(("nats", url)) => {
                Self::Nats(sse_log_nats::connect(url, Default::default()).await?)
            }
            Some(("postgres", url)) => {
                Self::Postgres(sse_log_postgres::connect(url, Default::default()).await?)
            }
            _ => return Err(format!("{url:?} is not the URL of a store\n\n{USAGE}").into()),
        })
    }

    /// Returns the names of the logs that there are.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let names = each!(self, engine => engine.logs().await?);
        Ok(names.iter().map(|name| name.as_str().to_owned()).collect())
    }

    pub(crate) async fn store(&self, name: &str) -> Result<Arc<dyn Store>> {
        let options = StoreOptions::default();
        Ok(each!(self, engine => Arc::new(engine.store(name, options).await?)))
    }
}
