use redis::{ErrorKind, RedisError, ServerErrorKind};
use sse_core::store::StoreError;

/// What Redis, or its absence, says of a call that was not sent.
pub(crate) fn not_sent(error: RedisError) -> StoreError {
    StoreError::failed(error)
}

/// What an error says of a call that was sent.
///
/// A script that is refused (`OOM`, `READONLY`, `LOADING`, `MISCONF`, `NOREPLICAS`, …) has written nothing. `ERR` is whatever else
/// went wrong, and may come from its middle.
pub(crate) fn of_call(error: RedisError) -> StoreError {
    match is_answer(&error) && error.code() != Some("ERR") {
        true => StoreError::failed(error),
        false => StoreError::outcome_unknown(error),
    }
}

/// Whether Redis has said it, so that the connection is whole.
pub(crate) fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_))
        || (error.kind() == ErrorKind::Extension && error.code().is_some())
}

/// Whether another server takes what is written.
pub(crate) fn is_elsewhere(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a call to which Redis answers so.
    fn of_answer(line: &str) -> (StoreError, String) {
        let value = redis::parse_redis_value(format!("{line}\r\n").as_bytes()).expect("an answer");
        let error = value.extract_error().expect_err("an error");
        let told = error.to_string();
        (of_call(error), told)
    }

    #[test]
    fn what_is_refused_was_not_done_and_the_reason_is_told() {
        for (line, reason) in [
            ("-OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
            ("-READONLY You can't write against a read only replica.", "ReadOnly"),
            ("-LOADING Redis is loading the dataset in memory", "loading"),
            ("-MISCONF Errors writing to the AOF file: No space left on device", "No space left"),
            ("-NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
            ("-BUSY Redis is busy running a script.", "BUSY"),
            ("-CLUSTERDOWN The cluster is down", "ClusterDown"),
            ("-NOAUTH Authentication required.", "NOAUTH"),
            ("-NOPERM this user has no permissions", "NoPerm"),
        ] {
            let (error, told) = of_answer(line);
            assert!(matches!(error, StoreError::Failed(_)), "{line}");
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn what_is_cut_off_or_fails_halfway_may_have_been_done() {
        let cut: RedisError = std::io::Error::from(std::io::ErrorKind::ConnectionReset).into();
        assert!(matches!(of_call(cut), StoreError::OutcomeUnknown(_)));
        let (halfway, _) = of_answer("-ERR The stream has exhausted the last possible ID");
        assert!(matches!(halfway, StoreError::OutcomeUnknown(_)));
    }
}
