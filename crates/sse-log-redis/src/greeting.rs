use std::collections::HashMap;

use redis::{ErrorKind, RedisError, Value, cmd, from_redis_value};

use crate::wire::Wire;

/// Looks at who answers, when a connection is new: another version would do half of what it is asked.
///
/// # Errors
///
/// If it is older than Redis 7.0 or Valkey 7.2, or no server that keeps anything.
pub(crate) async fn check(wire: &mut Wire) -> Result<(), RedisError> {
    // Every user may ask that.
    let hello: HashMap<String, Value> = cmd("HELLO").query_async(&mut wire.inner).await?;
    let text = |name: &str| -> String {
        let value = hello.get(name).cloned().map(from_redis_value::<String>);
        value.and_then(Result::ok).unwrap_or_default()
    };
    if text("mode") == "sentinel" {
        let why = "a Sentinel keeps no events: the URL is to name the servers that it watches";
        return Err(refusal(why.to_owned()));
    }
    let version = text("version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 7) {
        let what = text("server");
        return Err(refusal(format!(
            "this is {what} {version}: Redis 7.0 or Valkey 7.2 is the oldest that will do"
        )));
    }
    Ok(())
}

/// Looks whether events are safe from being evicted.
///
/// # Errors
///
/// If they are not. If that cannot be read it is a warning.
pub(crate) async fn check_memory(wire: &mut Wire) -> Result<(), RedisError> {
    let memory: Result<String, _> = cmd("INFO").arg("memory").query_async(&mut wire.inner).await;
    match memory {
        Ok(memory) => evicts(&memory).map_or(Ok(()), |why| Err(refusal(why))),
        Err(error) if crate::failure::is_answer(&error) => {
            tracing::warn!(%error, "whether Redis evicts keys cannot be read: `maxmemory-policy` is not to begin with `allkeys`");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Why a server with such a memory will not do.
fn evicts(memory: &str) -> Option<String> {
    let policy = value(memory, "maxmemory_policy")?;
    let is_limited = value(memory, "maxmemory").is_some_and(|limit| limit != "0");
    (is_limited && policy.starts_with("allkeys")).then(|| {
        format!("`maxmemory-policy` is {policy}: events would be evicted; `noeviction` is what logs need")
    })
}

/// What `INFO` says of this.
pub(crate) fn value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

fn refusal(why: String) -> RedisError {
    (ErrorKind::InvalidClientConfig, "this server will not do", why).into()
}
