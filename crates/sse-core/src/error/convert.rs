use std::io;

use crate::error::{Error, Kind};
use crate::gap::Gap;
use crate::store::error::StoreError;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Finished => Self::finished(),
            error => {
                let may_have_happened = matches!(error, StoreError::OutcomeUnknown(_));
                Self::store("being asked", error, may_have_happened)
            }
        }
    }
}

impl From<Error> for StoreError {
    /// Makes a [`StoreError::Failed`]: the call certainly changed nothing.
    fn from(error: Error) -> Self {
        Self::failed(error)
    }
}

/// Makes an [`io::ErrorKind::Other`] with this error as its source, for `?` in a `main` that returns `io::Result`.
///
/// ```
/// # use sse_core::{Error, EventLog};
/// async fn hello(log: &EventLog) -> std::io::Result<()> {
///     log.append("hello").await?;
///     Ok(())
/// }
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// log.finish().await.unwrap();
/// let error = hello(&log).await.unwrap_err();
/// assert!(error.downcast::<Error>().is_ok_and(|error| error.is_finished()));
/// # }).unwrap();
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl From<Gap> for Error {
    fn from(gap: Gap) -> Self {
        Kind::Gap(gap).into()
    }
}
