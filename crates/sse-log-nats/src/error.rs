//! The error of a call to JetStream, and the [`StoreError`] that it becomes.

use async_nats::client::{RequestError, RequestErrorKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;

/// A refusal by JetStream.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("NATS refused: {description} ({err_code})")]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) err_code: u64,
    #[serde(default)]
    pub(crate) description: String,
}

/// The error codes of JetStream.
pub(crate) mod code {
    pub(crate) const NO_MESSAGE: u64 = 10037;
    pub(crate) const NO_SUCH_SEQUENCE: u64 = 10043;
    pub(crate) const TOO_LARGE_FOR_STREAM: u64 = 10054;
    pub(crate) const NOT_DELETED: u64 = 10057;
    /// The last message has another id than the request expected.
    pub(crate) const OTHER_LAST_ID: u64 = 10070;
    pub(crate) const NO_JETSTREAM: u64 = 10039;
    pub(crate) const NO_JETSTREAM_HERE: u64 = 10076;
    pub(crate) const STREAM_EXISTS: u64 = 10058;
    pub(crate) const NO_STREAM: u64 = 10059;
    pub(crate) const SUBJECTS_OVERLAP: u64 = 10065;
    pub(crate) const OTHER_LAST_SEQUENCE: u64 = 10071;
    pub(crate) const STORE_FAILED: u64 = 10077;
    pub(crate) const ID_IN_PROCESS: u64 = 10158;
    /// `OTHER_LAST_SEQUENCE`, while another write to the same subject is under way in a cluster.
    pub(crate) const OTHER_LAST_SEQUENCE_YET: u64 = 10164;
}

impl Refusal {
    /// Returns true if the server may have done it, or may yet do it.
    fn is_uncertain(&self) -> bool {
        match self.err_code {
            // An error without a code comes from below: the server no longer leads, or a write failed.
            0 | code::ID_IN_PROCESS => true,
            // The server checks limits before it writes. "message to large" is its spelling.
            code::STORE_FAILED => {
                !(self.description.starts_with("maximum ") || self.description.ends_with(" large"))
            }
            _ => false,
        }
    }
}

/// The error of a call to JetStream.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    Store(StoreError),
}

impl Failure {
    /// Returns true if the server refused with this code.
    pub(crate) fn is(&self, code: u64) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.err_code == code)
    }

    /// Returns true if the server refused since the last message is not the expected one.
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

/// Parses an answer: the value, or the refusal.
pub(crate) fn parse_answer<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
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

/// Returns the error of a failed request. In the first three cases nothing was sent, or no server took it.
pub(crate) fn request_failed(error: RequestError) -> StoreError {
    match error.kind() {
        RequestErrorKind::NoResponders
        | RequestErrorKind::InvalidSubject
        | RequestErrorKind::MaxPayloadExceeded => StoreError::failed(error),
        _ => StoreError::outcome_unknown(error),
    }
}

/// Returns true if no server took the request.
pub(crate) fn has_no_responders<T>(answer: &Result<T, StoreError>) -> bool {
    let Err(StoreError::Failed(error)) = answer else { return false };
    let error = error.downcast_ref::<RequestError>();
    error.is_some_and(|error| error.kind() == RequestErrorKind::NoResponders)
}

/// Returns the error if there is no JetStream to answer.
pub(crate) fn no_jetstream(domain: Option<&str>) -> StoreError {
    StoreError::failed(match domain {
        None => "NATS has no JetStream for this user: start `nats-server -js`, enable `jetstream` in the user's account, or give the domain that has it (`EngineOptions::domain`)".to_owned(),
        Some(domain) => format!("NATS has no JetStream domain {domain:?}: check `EngineOptions::domain`"),
    })
}

/// Returns the error of a step after an earlier step has changed something: its outcome is unknown.
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
        let answer: Result<serde_json::Value, _> = parse_answer(
            format!(r#"{{"error":{{"err_code":{code},"description":"{description}"}}}}"#)
                .as_bytes(),
        );
        let error = StoreError::from(answer.expect_err("it is refused"));
        assert_eq!(matches!(error, StoreError::OutcomeUnknown(_)), is_uncertain, "{error:?}");
    }

    #[test]
    fn a_refusal_is_certain_unless_the_message_may_yet_be_stored() {
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
