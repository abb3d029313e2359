use std::error::Error;
use std::fmt;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};
use sse_core::store::StoreError;

/// Returns the error of a call that was not sent.
pub(crate) fn from_unsent_call(error: RedisError) -> StoreError {
    StoreError::failed(error)
}

/// The errors by which Redis refuses a script before it begins. Redis returns the last six also in a script that has begun, but before it
/// writes: `append.lua` looks at the types of the keys first.
const REFUSALS: [&str; 16] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "LOADING",
    "MASTERDOWN",
    "MOVED",
    "NOAUTH",
    "NOSCRIPT",
    "TRYAGAIN",
    "MISCONF",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "WRONGTYPE",
    "LATERFORMAT", // by `log.lua`
];

/// Returns the error of a call that was sent. Its outcome is unknown unless the error is known to be a refusal: `ERR` has any other cause,
/// maybe in the middle of a script, and a proxy has errors of its own.
pub(crate) fn from_sent_call(error: RedisError) -> StoreError {
    // If the user may not run a command, Redis may refuse it in the middle of a script.
    let is_in_script = || error.detail().is_some_and(|detail| detail.contains("script: "));
    let is_refused = match error.code() {
        Some("NOPERM") => !is_in_script(),
        Some(code) => REFUSALS.contains(&code),
        None => false,
    };
    match is_refused {
        true if error.code() == Some("READONLY") => StoreError::failed(ReadOnlyReplica(error)),
        true => StoreError::failed(error),
        false => StoreError::outcome_unknown(error),
    }
}

/// Returns the error of a call that was sent and got no reply in time.
pub(crate) fn no_reply(within: Duration) -> StoreError {
    StoreError::outcome_unknown(format!("Redis did not reply within {within:?}"))
}

/// The error of a replica. A replica refuses writes, and it may lose the events that it has.
#[derive(Debug)]
struct ReadOnlyReplica(RedisError);

impl fmt::Display for ReadOnlyReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this Redis is a read-only replica; name its master, or all nodes, in the URL")
    }
}

impl Error for ReadOnlyReplica {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Returns true if Redis has sent the error, so that the connection still works.
pub(crate) fn is_reply(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_))
        || (error.kind() == ErrorKind::Extension && error.code().is_some())
}

/// Returns true if another server may accept the call.
pub(crate) fn is_for_another_server(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly};
    let ErrorKind::Server(kind) = error.kind() else { return false };
    matches!(kind, BusyLoading | ClusterDown | MasterDown | ReadOnly)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error of a call to which Redis replies with this line, and the text of that reply.
    fn of_reply(line: &str) -> (StoreError, String) {
        let value = redis::parse_redis_value(format!("{line}\r\n").as_bytes()).expect("a reply");
        let error = value.extract_error().expect_err("an error");
        let text = error.to_string();
        (from_sent_call(error), text)
    }

    #[test]
    fn a_refused_call_has_failed_and_its_error_has_the_reason() {
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
            let (error, text) = of_reply(line);
            assert!(matches!(error, StoreError::Failed(_)), "{line}");
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn a_call_that_is_cut_off_or_fails_halfway_has_an_unknown_outcome() {
        let cut: RedisError = std::io::Error::from(std::io::ErrorKind::ConnectionReset).into();
        assert!(matches!(from_sent_call(cut), StoreError::OutcomeUnknown(_)));
        for line in [
            "-ERR The stream has exhausted the last possible ID",
            "-NOPERM ACL failure in script: User app has no permissions to run the 'set' command",
            // A proxy sends such errors.
            "-upstream failure",
            "-SOMETHING that nobody knows",
        ] {
            let (halfway, _) = of_reply(line);
            assert!(matches!(halfway, StoreError::OutcomeUnknown(_)), "{line}");
        }
    }
}
