use std::sync::Arc;

use sse_core::store::{Store, StoreError};
use sse_core::{Error, LogOptions};

/// The store of a log by where it is: `redb:/tmp/log.redb`, `redis:redis://127.0.0.1:6379`.
///
/// # Errors
///
/// Where it cannot be opened, and where the scheme is of no store.
pub async fn open_url(url: &str, name: &str, options: LogOptions) -> Result<Arc<dyn Store>, Error> {
    match url.split_once(':') {
        Some(("redb", path)) => {
            let options = sse_log_redb::Options { log: options, ..Default::default() };
            Ok(Arc::new(sse_log_redb::RedbStore::connect(path, name, &options).await?))
        }
        Some(("redis", url)) => {
            let options = sse_log_redis::Options { log: options, ..Default::default() };
            Ok(Arc::new(sse_log_redis::RedisStore::connect(url, name, &options).await?))
        }
        _ => {
            let reason = format!("{url:?} is of no store: it begins with `redb:` or `redis:`");
            Err(StoreError::failed(reason).into())
        }
    }
}
