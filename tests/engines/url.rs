use std::sync::Arc;

use sse_core::store::{Store, StoreError};
use sse_core::{Error, StoreOptions};

/// The store of a log by where it is: `redb:/tmp/log.redb`, `redis:redis://127.0.0.1:6379`, `postgres:postgres://user@127.0.0.1/db`.
///
/// # Errors
///
/// If it cannot be opened, and where the scheme is of no store.
pub async fn open_url(
    url: &str,
    name: &str,
    options: StoreOptions,
) -> Result<Arc<dyn Store>, Error> {
    match url.split_once(':') {
        Some(("nats", url)) => {
            let engine = sse_log_nats::connect(url, Default::default()).await?;
            Ok(Arc::new(engine.store(name, options).await?))
        }
        Some(("redb", path)) => {
            let engine = sse_log_redb::EngineOptions::new().connect_timeout(options.store_wait);
            Ok(Arc::new(sse_log_redb::connect(path, engine).await?.store(name, options).await?))
        }
        Some(("postgres", url)) => {
            let postgres = sse_log_postgres::connect(url, Default::default()).await?;
            Ok(Arc::new(postgres.store(name, options).await?))
        }
        Some(("redis", url)) => {
            let redis = sse_log_redis::connect(url, Default::default()).await?;
            Ok(Arc::new(redis.store(name, options).await?))
        }
        _ => {
            let known = "`nats:`, `redb:`, `redis:` or `postgres:`";
            let reason = format!("{url:?} is of no store: it begins with {known}");
            Err(StoreError::failed(reason).into())
        }
    }
}
