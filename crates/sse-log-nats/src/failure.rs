//! What a call to JetStream comes to nothing by.

use async_nats::client::{RequestError, RequestErrorKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;

/// JetStream has answered that it will not. So it has done nothing.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("NATS refused: {description} ({err_code})")]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) err_code: u64,
    #[serde(default)]
    pub(crate) description: String,
}

/// The codes of refusals, as JetStream has them.
pub(crate) mod code {
    pub(crate) const NO_MESSAGE: u64 = 10037;
    pub(crate) const NO_SUCH_SEQUENCE: u64 = 10043;
    pub(crate) const TOO_LARGE_FOR_STREAM: u64 = 10054;
    pub(crate) const STREAM_EXISTS: u64 = 10058;
    pub(crate) const NO_STREAM: u64 = 10059;
    pub(crate) const OTHER_LAST_SEQUENCE: u64 = 10071;
}

/// What a call to JetStream came to nothing by.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    Store(StoreError),
}

impl Failure {
    /// Whether it was refused for this reason.
    pub(crate) fn is(&self, code: u64) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.err_code == code)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::failed(refusal),
            Failure::Store(error) => error,
        }
    }
}

/// The answer, or why there is none.
pub(crate) fn answer<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Refused {
        error: Option<Refusal>,
    }
    let refused: Refused = serde_json::from_slice(payload).map_err(StoreError::outcome_unknown)?;
    if let Some(refusal) = refused.error {
        return Err(Failure::Refused(refusal));
    }
    Ok(serde_json::from_slice(payload).map_err(StoreError::outcome_unknown)?)
}

/// Nothing was sent in these cases, or nobody was there to take it.
pub(crate) fn unanswered(error: RequestError) -> StoreError {
    match error.kind() {
        RequestErrorKind::NoResponders
        | RequestErrorKind::InvalidSubject
        | RequestErrorKind::MaxPayloadExceeded => StoreError::failed(error),
        _ => StoreError::outcome_unknown(error),
    }
}
