//! Which server it is: asked once a second, for all logs of an engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::engine::requests::{EngineCore, Requests};
use crate::error::{Failure, code};
use crate::jetstream::Info;

/// How often it is asked, and how long the answer may take.
const EVERY: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(4);

/// By what a server is known again that has what it had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerIdentity {
    server: String,
    /// When the stream of the records was created, and the server that leads it.
    created: String,
    leader: Option<String>,
    /// How many records were written: fewer than before are those of a backup.
    records: u64,
}

impl ServerIdentity {
    /// Whether what is there follows on what was there. A stream that was not there, and is, is the first log's.
    fn follows(&self, before: &Self) -> bool {
        let is_same = before.created.is_empty()
            || (&self.created, &self.leader) == (&before.created, &before.leader);
        is_same && self.server == before.server && self.records >= before.records
    }
}

/// Passes on word of changed records, and tells the logs when another server answers than before. Ends with the engine.
pub(crate) async fn watch(engine: Weak<EngineCore>) {
    let mut before: Option<ServerIdentity> = None;
    loop {
        let Some(core) = engine.upgrade() else { return };
        let records = core.records();
        let changes = Arc::clone(&core.changes);
        let requests = Requests { engine: core, timeout: WITHIN };
        if let Some(identity) = ask(&requests, &records).await {
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

async fn ask(requests: &Requests, records: &str) -> Option<ServerIdentity> {
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
