use crate::BoxError;

/// Why a store has not done what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The log is finished: it takes no more events.
    #[error("the log is finished")]
    Finished,
    /// It was not done, for certain.
    #[error("the store failed")]
    Failed(#[source] BoxError),
    /// Whether it was done is not known: the answer did not arrive.
    #[error("the store did not say whether it was done")]
    OutcomeUnknown(#[source] BoxError),
}

impl StoreError {
    /// [`StoreError::Failed`], from any error.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }

    /// [`StoreError::OutcomeUnknown`], from any error.
    pub fn outcome_unknown(error: impl Into<BoxError>) -> Self {
        Self::OutcomeUnknown(error.into())
    }
}
