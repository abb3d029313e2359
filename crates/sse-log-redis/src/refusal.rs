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

    #[test]
    fn what_is_refused_was_not_done_and_what_is_cut_off_may_have_been() {
        let cut: RedisError = std::io::Error::from(std::io::ErrorKind::ConnectionReset).into();
        assert!(matches!(of_call(cut), StoreError::OutcomeUnknown(_)));
        let refused: RedisError = (ErrorKind::Server(ServerErrorKind::ReadOnly), "refused").into();
        assert!(is_elsewhere(&refused));
        assert!(matches!(of_call(refused), StoreError::Failed(_)));
        let odd: RedisError = (ErrorKind::Server(ServerErrorKind::ResponseError), "odd").into();
        assert!(matches!(of_call(odd), StoreError::OutcomeUnknown(_)));
    }
}
