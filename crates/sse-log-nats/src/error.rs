//! What a call to JetStream comes to nothing by.

use async_nats::client::{RequestError, RequestErrorKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;

/// JetStream has answered that it will not.
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
    pub(crate) const NOT_DELETED: u64 = 10057;
    /// The id of the message is not the last that was expected.
    pub(crate) const OTHER_LAST_ID: u64 = 10070;
    pub(crate) const NO_JETSTREAM: u64 = 10039;
    pub(crate) const NO_JETSTREAM_HERE: u64 = 10076;
    pub(crate) const STREAM_EXISTS: u64 = 10058;
    pub(crate) const NO_STREAM: u64 = 10059;
    pub(crate) const SUBJECTS_OVERLAP: u64 = 10065;
    pub(crate) const OTHER_LAST_SEQUENCE: u64 = 10071;
    pub(crate) const STORE_FAILED: u64 = 10077;
    pub(crate) const ID_IN_PROCESS: u64 = 10158;
    /// The same as `OTHER_LAST_SEQUENCE`, where a write to the same subject is under way in a cluster.
    pub(crate) const OTHER_LAST_SEQUENCE_YET: u64 = 10164;
}

impl Refusal {
    /// Whether it may have been done all the same, or may be yet.
    fn is_uncertain(&self) -> bool {
        match self.err_code {
            // Without a code it is of what is beneath: the server leads no more, or a write failed.
            0 | code::ID_IN_PROCESS => true,
            // Limits are looked at before anything is written. The server says "message to large".
            code::STORE_FAILED => {
                !(self.description.starts_with("maximum ") || self.description.ends_with(" large"))
            }
            _ => false,
        }
    }
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

    /// Whether another message was stored than the one that was expected to be the last.
    pub(crate) fn is_other_last(&self) -> bool {
        self.is(code::OTHER_LAST_SEQUENCE) || self.is(code::OTHER_LAST_SEQUENCE_YET)
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
            Failure::Refused(refusal) if refusal.is_uncertain() => Self::outcome_unknown(refusal),
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
pub(crate) fn request_failed(error: RequestError) -> StoreError {
    match error.kind() {
        RequestErrorKind::NoResponders
        | RequestErrorKind::InvalidSubject
        | RequestErrorKind::MaxPayloadExceeded => StoreError::failed(error),
        _ => StoreError::outcome_unknown(error),
    }
}

/// Whether nobody was there to take it.
pub(crate) fn has_no_responders<T>(answer: &Result<T, StoreError>) -> bool {
    let Err(StoreError::Failed(error)) = answer else { return false };
    let error = error.downcast_ref::<RequestError>();
    error.is_some_and(|error| error.kind() == RequestErrorKind::NoResponders)
}

/// Nobody answers to JetStream's API.
pub(crate) fn no_jetstream(domain: Option<&str>) -> StoreError {
    StoreError::failed(match domain {
        None => "NATS has no JetStream for this user: start `nats-server -js`, enable `jetstream` in the user's account, or give the domain that has it (`EngineOptions::domain`)".to_owned(),
        Some(domain) => format!("NATS knows of no JetStream domain {domain:?} (`EngineOptions::domain`)"),
    })
}

/// The error of a step that comes after something was done.
pub(crate) fn as_outcome_unknown(error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(error) => StoreError::OutcomeUnknown(error),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u64, description: &str, is_uncertain: bool) {
        let answer: Result<serde_json::Value, _> = answer(
            format!(r#"{{"error":{{"err_code":{code},"description":"{description}"}}}}"#)
                .as_bytes(),
        );
        let error = StoreError::from(answer.expect_err("it is refused"));
        assert_eq!(matches!(error, StoreError::OutcomeUnknown(_)), is_uncertain, "{error:?}");
    }

    #[test]
    fn a_refusal_is_certain_unless_the_message_may_be_stored_yet() {
        check(code::TOO_LARGE_FOR_STREAM, "message size exceeds maximum allowed", false);
        check(code::OTHER_LAST_SEQUENCE, "wrong last sequence: 7", false);
        check(10023, "insufficient resources", false);
        for limit in [
            "maximum bytes exceeded",
            "maximum messages exceeded",
            "maximum messages per subject exceeded",
            "message to large",
        ] {
            check(code::STORE_FAILED, limit, false);
        }
        check(code::STORE_FAILED, "store is closed", true);
        check(code::ID_IN_PROCESS, "duplicate message id is in process", true);
        check(0, "raft: not leader", true);
    }
}
