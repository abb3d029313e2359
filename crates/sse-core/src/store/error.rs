use std::fmt;

use crate::BoxError;
use crate::chain::Chain;

/// The reason why a call to a store failed.
///
/// ```
/// use sse_core::Error;
/// use sse_core::store::StoreError;
///
/// let error = Error::from(StoreError::outcome_unknown("the connection was lost"));
/// assert!(error.is_store() && error.is_outcome_unknown());
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The log is finished: it accepts no more events.
    #[error("the log is finished")]
    Finished,
    /// The call failed, and certainly changed nothing.
    #[error("the store failed")]
    Failed(#[source] BoxError),
    /// The store's reply did not arrive: the call may have succeeded.
    #[error("the store's reply did not arrive: the call may have succeeded")]
    OutcomeUnknown(#[source] BoxError),
}

impl StoreError {
    /// Makes a [`StoreError::Failed`] of any error.
    ///
    /// ```
    /// use sse_core::store::StoreError;
    ///
    /// assert!(matches!(StoreError::failed("the disk is full"), StoreError::Failed(_)));
    /// ```
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }

    /// Makes a [`StoreError::OutcomeUnknown`] of any error.
    ///
    /// ```
    /// use sse_core::store::StoreError;
    ///
    /// let error = StoreError::outcome_unknown("the connection was lost");
    /// assert!(matches!(error, StoreError::OutcomeUnknown(_)));
    /// ```
    pub fn outcome_unknown(error: impl Into<BoxError>) -> Self {
        Self::OutcomeUnknown(error.into())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}
