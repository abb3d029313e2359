//! Work on a whole file.

use std::path::Path;
use std::time::Duration;

use sse_core::Error;

use crate::open_files;
use crate::options::EngineOptions;

/// Waits until this process has closed the file, for at most this long. Returns true if the file is closed. The process closes a file after all logs,
/// stores and engines of the file were dropped.
///
/// If a process ends before that, redb repairs the file at the next opening, as after a kill. The repair takes no time if nothing was written in the
/// last second.
///
/// ```
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("events.redb");
/// # use std::time::Duration;
/// let log = sse_log_redb::open(&path, "prices").await?;
/// assert!(!sse_log_redb::closed(&path, Duration::ZERO).await?);
/// drop(log);
/// assert!(sse_log_redb::closed(&path, Duration::from_secs(5)).await?);
/// # Ok::<(), sse_log_redb::Error>(())
/// # }).expect("a file in a temporary folder can be written");
/// ```
///
/// # Errors
///
/// [`is_store`](Error::is_store) if no thread can be started.
///
/// # Cancel safety
///
/// Dropping the future changes nothing.
pub async fn closed(path: impl AsRef<Path>, at_most: Duration) -> Result<bool, Error> {
    Ok(open_files::closed(path.as_ref(), at_most).await?)
}

/// Returns the free pages of a file to the file system. Returns true if there were any.
///
/// It first moves the used pages together, which takes longer than copying them: 8 s for 2 GB. Call it when nothing appends: **until it returns, no log
/// of the file reads or writes.** Streams stall, and an append that takes longer than [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout) (default: 5 s) has an unknown
/// outcome. The file may be open in this process.
///
/// # Errors
///
/// The same as for [`open`](crate::open).
///
/// # Cancel safety
///
/// If the future is dropped, the work continues in its thread.
pub async fn compact(path: impl AsRef<Path>) -> Result<bool, Error> {
    let file = open_files::open(path.as_ref(), &EngineOptions::default()).await?;
    Ok(file.compact().await?)
}
