use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sse_core::store::LogName;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::{Cause, Failure};
use crate::names::payloads;
use crate::pool::Pool;

/// Nothing depends on it, so it need not be on the disk: to wait for that holds up all that notify, in the whole cluster.
const NOTIFY: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('sse_log', told) FROM unnest($1::text[]) AS t (told)";
const WITHIN: Duration = Duration::from_secs(4);

/// The logs that have changed, of which other processes were not told yet.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    names: Mutex<BTreeSet<LogName>>,
    some: Notify,
}

impl Changes {
    pub(crate) fn add(&self, name: &LogName) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(name) {
            names.insert(name.clone());
        }
        self.some.notify_one();
    }

    /// Tells other processes, once for all that has changed meanwhile. Not within the transactions that change it: those that notify
    /// commit one at a time, in the whole cluster.
    pub(crate) async fn tell(self: Arc<Self>, pool: Arc<Pool>, process: String) {
        loop {
            self.some.notified().await;
            let names =
                std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner));
            let payloads = payloads(&process, names.iter());
            // A process that is not told finds it all the same, when it asks the next time.
            if !payloads.is_empty()
                && let Err(failure) = notify(&pool, &payloads).await
            {
                tracing::debug!(?failure, "the followers of event logs were not notified");
            }
        }
    }
}

async fn notify(pool: &Arc<Pool>, payloads: &[String]) -> Result<(), Failure> {
    let mut lease = pool.lease_any(WITHIN).await?;
    let told = timeout(WITHIN, lease.connection().query(NOTIFY, &[&payloads])).await;
    told.map_err(|_| Failure::before(Cause::NoAnswer(WITHIN)))??;
    lease.keep();
    Ok(())
}
