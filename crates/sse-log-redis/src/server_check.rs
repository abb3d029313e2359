use std::collections::HashMap;
use std::sync::Arc;

use redis::{ConnectionAddr, ErrorKind, RedisError, Value, cmd, from_redis_value};

use crate::connection::Connection;
use crate::error::is_reply;

/// Checks the kind and the version of the server at a new connection: an older version fails halfway through a script.
///
/// # Errors
///
/// If the server is older than Redis 7.0 or Valkey 7.2, or if it is a Sentinel, which keeps nothing.
pub(crate) async fn check_version(connection: &mut Connection) -> Result<(), RedisError> {
    // Every user may run `HELLO`.
    let hello: HashMap<String, Value> = cmd("HELLO").query_async(&mut connection.inner).await?;
    let text = |name: &str| -> String {
        let value = hello.get(name).cloned().map(from_redis_value::<String>);
        value.and_then(Result::ok).unwrap_or_default()
    };
    if text("mode") == "sentinel" {
        let why =
            "it is a Sentinel, which keeps no events; name the servers that it watches in the URL";
        return Err(refusal(why.to_owned()));
    }
    let version = text("version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 7) {
        let product = text("server");
        return Err(refusal(format!(
            "it is {product} {version}; upgrade it to Redis 7.0, Valkey 7.2 or later"
        )));
    }
    Ok(())
}

/// Returns the id of the server's process, which is new each time that it starts; nothing if the user may not run `INFO`.
pub(crate) async fn process(connection: &mut Connection) -> Result<Arc<str>, RedisError> {
    let info: Result<String, _> =
        cmd("INFO").arg("server").query_async(&mut connection.inner).await;
    match info {
        Ok(info) => Ok(info_field(&info, "run_id").unwrap_or_default().into()),
        Err(error) if is_reply(&error) => Ok(Arc::default()),
        Err(error) => Err(error),
    }
}

/// Checks that the server does not evict events.
///
/// # Errors
///
/// If the server may evict events. If the user may not read the policy, it logs a warning.
pub(crate) async fn check_memory(
    connection: &mut Connection,
    server: &ConnectionAddr,
) -> Result<(), RedisError> {
    let memory: Result<String, _> =
        cmd("INFO").arg("memory").query_async(&mut connection.inner).await;
    match memory {
        Ok(memory) => eviction(&memory).map_or(Ok(()), |why| Err(refusal(why))),
        Err(error) if is_reply(&error) => {
            tracing::warn!(%error, %server, "opening a log: cannot read whether Redis evicts keys; make sure that `maxmemory-policy` does not begin with `allkeys`");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Returns the reason to refuse a server with this memory section of `INFO`, if it may evict events.
fn eviction(memory: &str) -> Option<String> {
    let policy = info_field(memory, "maxmemory_policy")?;
    let is_limited = info_field(memory, "maxmemory").is_some_and(|limit| limit != "0");
    (is_limited && policy.starts_with("allkeys")).then(|| {
        format!("its `maxmemory-policy` is {policy}, which evicts events; set `noeviction`")
    })
}

/// Returns the value of a field of `INFO`.
pub(crate) fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

fn refusal(why: String) -> RedisError {
    (ErrorKind::InvalidClientConfig, "the server cannot keep a log", why).into()
}
