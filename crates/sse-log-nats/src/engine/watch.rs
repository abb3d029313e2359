//! The watch over the server: once a second, for all logs of an engine, it checks that the server is the same as before.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::engine::requests::{EngineCore, Requests};
use crate::error::{Failure, code};
use crate::jetstream::Info;

/// Interval of the checks, and their timeout.
const EVERY: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(4);

/// The signs by which a server is recognised that has the same state as before.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerIdentity {
    server: String,
    /// The time at which the stream of the records was created, and the server that leads it.
    created: String,
    leader: Option<String>,
    /// Number of records that were written. A backup has fewer.
    records: u64,
}

impl ServerIdentity {
    /// Returns true if this state continues the state before. If there was no stream before, the first log has created it.
    fn follows(&self, before: &Self) -> bool {
        let is_same = before.created.is_empty()
            || (&self.created, &self.leader) == (&before.created, &before.leader);
        is_same && self.server == before.server && self.records >= before.records
    }
}

/// Passes on notifications of changed records, and resets the followers when another server answers than before. Ends with the engine.
pub(crate) async fn watch(engine: Weak<EngineCore>) {
    let mut before: Option<ServerIdentity> = None;
    loop {
        let Some(core) = engine.upgrade() else { return };
        let records = core.records();
        let changes = Arc::clone(&core.changes);
        let requests = Requests { engine: core, timeout: WITHIN };
        if let Some(identity) = identify(&requests, &records).await {
            if before.as_ref().is_some_and(|before| !identity.follows(before)) {
                requests.engine.resets.send_modify(|n| *n += 1);
            }
            before = Some(identity);
        }
        drop(requests);
        tokio::select! {
            () = changes.pass_on() => sleep(EVERY).await,
            () = sleep(EVERY) => {}
        }
    }
}

async fn identify(requests: &Requests, records: &str) -> Option<ServerIdentity> {
    let (client, _) = requests.engine.client().await.ok()?;
    let server = client.server_info().server_id;
    drop(client);
    match requests.api::<Info>(&format!("STREAM.INFO.{records}"), &json!({})).await {
        Ok(info) => Some(ServerIdentity {
            server,
            created: info.created,
            leader: info.cluster.and_then(|cluster| cluster.leader),
            records: info.state.last_seq,
        }),
        Err(Failure::Refused(refusal)) if refusal.err_code == code::NO_STREAM => {
            Some(ServerIdentity { server, created: String::new(), leader: None, records: 0 })
        }
        Err(_) => None,
    }
}
