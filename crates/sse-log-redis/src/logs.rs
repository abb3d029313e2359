use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Value, cmd, from_redis_value};
use sse_core::store::{LogName, StoreError};
use tokio::time::timeout;

use crate::engine::Inner;
use crate::route::no_answer;
use crate::server::{Lane, Server};
use crate::{failure, name};

/// How long each answer may take.
const WITHIN: Duration = Duration::from_millis(4500);

/// The names of the logs that have the engine's prefix.
pub(crate) async fn logs(engine: &Inner) -> Result<Vec<LogName>, StoreError> {
    let prefix = &engine.options.prefix;
    let mut names = BTreeSet::new();
    for server in masters(engine).await? {
        let mut at = "0".to_owned();
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(&at).arg("MATCH").arg(format!("{}:{{*}}:meta", escaped(prefix)));
            scan.arg("COUNT").arg(1000);
            let (next, keys): (String, Vec<String>) = ask(&server, &scan).await?;
            at = next;
            let found = keys.iter().filter_map(|key| name::of_meta(prefix, key));
            names.extend(found.map(|name| name.as_str().to_owned()));
            if at == "0" {
                break;
            }
        }
    }
    names.into_iter().map(|name| LogName::try_from(&*name).map_err(StoreError::from)).collect()
}

/// A text in a pattern.
fn escaped(text: &str) -> String {
    let escape = |c: char| if "*?[]\\^".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

/// The servers that have logs: all masters of a cluster.
async fn masters(engine: &Inner) -> Result<Vec<Arc<Server>>, StoreError> {
    let first = engine.nodes.current();
    if cfg!(not(feature = "cluster")) {
        return Ok(vec![first]);
    }
    let info: String = ask(&first, cmd("INFO").arg("cluster")).await?;
    if !info.contains("cluster_enabled:1") {
        return Ok(vec![first]);
    }
    let ranges: Vec<Vec<Value>> = ask(&first, cmd("CLUSTER").arg("SLOTS")).await?;
    let mut nodes = BTreeSet::new();
    for range in ranges {
        // The first slot, the last, and who has them: the master before its replicas.
        let node = range.into_iter().nth(2).map(from_redis_value::<Vec<Value>>);
        let mut node =
            node.transpose().map_err(StoreError::failed)?.unwrap_or_default().into_iter();
        let host = node.next().and_then(|host| from_redis_value::<String>(host).ok());
        let port = node.next().and_then(|port| from_redis_value::<u16>(port).ok());
        nodes.insert((host.unwrap_or_default(), port.unwrap_or_default()));
    }
    let at = |(host, port)| engine.nodes.at(&crate::node::at(&first.node, host, port));
    Ok(nodes.into_iter().map(at).collect())
}

async fn ask<T: FromRedisValue>(server: &Server, command: &Cmd) -> Result<T, StoreError> {
    let mut call = server.wire(Lane::Large).await.map_err(failure::not_sent)?;
    let asking = timeout(WITHIN, command.query_async(&mut call.wire.inner)).await;
    asking.map_err(|_| no_answer(WITHIN))?.map_err(failure::of_call)
}
