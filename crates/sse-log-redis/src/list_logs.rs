use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Value, cmd, from_redis_value};
use sse_core::store::{LogName, StoreError};
use tokio::time::timeout;

use crate::engine::EngineCore;
use crate::error::{from_sent_call, from_unsent_call, no_reply};
use crate::server::{Lane, Server};
use crate::server_check::info_field;
use crate::{address, names};

/// The time within which each reply must come.
const WITHIN: Duration = Duration::from_millis(4500);

/// Returns the names of the logs that have the engine's prefix, in order.
pub(crate) async fn list_logs(engine: &EngineCore) -> Result<Vec<LogName>, StoreError> {
    let prefix = &engine.options.prefix;
    let mut names = BTreeSet::new();
    for server in masters(engine).await? {
        let mut scanned_to = "0".to_owned();
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(&scanned_to).arg("MATCH").arg(format!("{}:{{*}}:meta", escaped(prefix)));
            scan.arg("COUNT").arg(1000);
            let (next, keys): (String, Vec<String>) = call(&server, &scan).await?;
            scanned_to = next;
            let found = keys.iter().filter_map(|key| names::log_of_meta(prefix, key));
            names.extend(found.map(|name| name.as_str().to_owned()));
            if scanned_to == "0" {
                break;
            }
        }
    }
    names.into_iter().map(|name| LogName::try_from(&*name).map_err(StoreError::from)).collect()
}

/// Returns the pattern of `SCAN` that matches this text only.
fn escaped(text: &str) -> String {
    let escape = |c: char| if "*?[]\\^".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

/// Returns the servers that have logs: the current server, or all masters of a cluster.
async fn masters(engine: &EngineCore) -> Result<Vec<Arc<Server>>, StoreError> {
    if cfg!(not(feature = "cluster")) {
        return Ok(vec![engine.servers.current()]);
    }
    let (first, info) = current(engine).await?;
    if !is_cluster(&info) {
        return Ok(vec![first]);
    }
    let ranges: Vec<Vec<Value>> = call(&first, cmd("CLUSTER").arg("SLOTS")).await?;
    let mut nodes = BTreeSet::new();
    for range in ranges {
        // A range has its first slot, its last slot, its master, and then its replicas.
        let node = range.into_iter().nth(2).map(from_redis_value::<Vec<Value>>);
        let mut node =
            node.transpose().map_err(StoreError::failed)?.unwrap_or_default().into_iter();
        let host = node.next().and_then(|host| from_redis_value::<String>(host).ok());
        let port = node.next().and_then(|port| from_redis_value::<u16>(port).ok());
        nodes.insert((host.unwrap_or_default(), port.unwrap_or_default()));
    }
    let server = |(host, port)| engine.servers.get(&address::peer(&first.node, host, port));
    Ok(nodes.into_iter().map(server).collect())
}

/// Returns the current server or, if it cannot be reached or is a replica, the next one of the URL that serves; and what it says of itself.
async fn current(engine: &EngineCore) -> Result<(Arc<Server>, String), StoreError> {
    let mut left = engine.servers.count();
    loop {
        let server = engine.servers.current();
        let info = call::<String>(&server, cmd("INFO").arg("replication").arg("cluster")).await;
        let refused = match info {
            Ok(info) if is_cluster(&info) || info_field(&info, "role") != Some("slave") => {
                return Ok((server, info));
            }
            Ok(_) => StoreError::failed(
                "listing the logs: this Redis is a replica; name its master, or all nodes, in the URL",
            ),
            Err(error) => error,
        };
        left -= 1;
        if left == 0 || !engine.servers.switch_from(&server) {
            return Err(refused);
        }
    }
}

fn is_cluster(info: &str) -> bool {
    info_field(info, "cluster_enabled") == Some("1")
}

async fn call<T: FromRedisValue>(server: &Server, command: &Cmd) -> Result<T, StoreError> {
    let mut lease = server.connection(Lane::Large).await.map_err(from_unsent_call)?;
    let calling = timeout(WITHIN, command.query_async(&mut lease.connection.inner)).await;
    calling.map_err(|_| no_reply(WITHIN))?.map_err(from_sent_call)
}
