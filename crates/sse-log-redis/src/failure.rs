use std::error::Error;
use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};
use sse_core::store::StoreError;

/// What Redis, or its absence, says of a call that was not sent.
pub(crate) fn not_sent(error: RedisError) -> StoreError {
    StoreError::failed(error)
}

/// How Redis refuses a script that it has not begun; the last five also one that it has, before that writes anything: `append.lua` looks at
/// the types of the keys first.
const REFUSALS: [&str; 15] = [
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
];

/// What an error says of a call that was sent. Of any that is not known to be a refusal it is not known what was done before: `ERR` is
/// whatever else went wrong, maybe in the middle of a script, and a proxy has errors of its own.
pub(crate) fn of_call(error: RedisError) -> StoreError {
    // What a user may not do shows where the script does it.
    let is_in_script = || error.detail().is_some_and(|detail| detail.contains("script: "));
    let is_refused = match error.code() {
        Some("NOPERM") => !is_in_script(),
        Some(code) => REFUSALS.contains(&code),
        None => false,
    };
    match is_refused {
        true if error.code() == Some("READONLY") => StoreError::failed(Replica(error)),
        true => StoreError::failed(error),
        false => StoreError::outcome_unknown(error),
    }
}

/// A replica may lose what it has, and takes nothing.
#[derive(Debug)]
struct Replica(RedisError);

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this Redis is a read-only replica: the URL is to name its master, or all nodes",
        )
    }
}

impl Error for Replica {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Whether Redis has said it, so that the connection is whole.
pub(crate) fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_))
        || (error.kind() == ErrorKind::Extension && error.code().is_some())
}

/// Whether another server may do what this one does not.
pub(crate) fn is_elsewhere(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly};
    let ErrorKind::Server(kind) = error.kind() else { return false };
    matches!(kind, BusyLoading | ClusterDown | MasterDown | ReadOnly)
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
        for line in [
            "-ERR The stream has exhausted the last possible ID",
            "-NOPERM ACL failure in script: User app has no permissions to run the 'set' command",
            // Proxies.
            "-upstream failure",
            "-SOMETHING that nobody knows",
        ] {
            let (halfway, _) = of_answer(line);
            assert!(matches!(halfway, StoreError::OutcomeUnknown(_)), "{line}");
        }
    }
}
