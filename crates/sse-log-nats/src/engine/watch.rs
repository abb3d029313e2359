//! Which server it is: asked once a second, for all logs of an engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::engine::requests::{Common, Link};
use crate::error::{Failure, code};
use crate::jetstream::Info;

/// How often it is asked, and how long the answer may take.
const EVERY: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(4);

/// By what a server is known again that has what it had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sign {
    server: String,
    /// When the stream of the records was created, and the server that leads it.
    created: String,
    leader: Option<String>,
    /// How many records were written: fewer than before are those of a backup.
    records: u64,
}

impl Sign {
    /// Whether what is there follows on what was there. A stream that was not there, and is, is the first log's.
    fn follows(&self, before: &Self) -> bool {
        let is_same = before.created.is_empty()
            || (&self.created, &self.leader) == (&before.created, &before.leader);
        is_same && self.server == before.server && self.records >= before.records
    }
}

/// Passes on word of changed records, and tells the logs when another server answers than before. Ends with the engine.
pub(crate) async fn watch(engine: Weak<Common>) {
    let mut before: Option<Sign> = None;
    loop {
        let Some(shared) = engine.upgrade() else { return };
        let records = shared.records();
        let changes = Arc::clone(&shared.changes);
        let link = Link { engine: shared, timeout: WITHIN };
        if let Some(sign) = ask(&link, &records).await {
            if before.as_ref().is_some_and(|before| !sign.follows(before)) {
                link.engine.resets.send_modify(|n| *n += 1);
            }
            before = Some(sign);
        }
        drop(link);
        tokio::select! {
            () = changes.pass_on() => sleep(EVERY).await,
            () = sleep(EVERY) => {}
        }
    }
}

async fn ask(link: &Link, records: &str) -> Option<Sign> {
    let (client, _) = link.engine.up().await.ok()?;
    let server = client.server_info().server_id;
    drop(client);
    match link.api::<Info>(&format!("STREAM.INFO.{records}"), &json!({})).await {
        Ok(info) => Some(Sign {
            server,
            created: info.created,
            leader: info.cluster.and_then(|cluster| cluster.leader),
            records: info.state.last_seq,
        }),
        Err(Failure::Refused(refusal)) if refusal.err_code == code::NO_STREAM => {
            Some(Sign { server, created: String::new(), leader: None, records: 0 })
        }
        Err(_) => None,
    }
}
