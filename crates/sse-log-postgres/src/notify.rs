use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sse_core::store::LogName;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::{Cause, Failure};
use crate::names::{NOTIFY_ALL, payloads};
use crate::pool::Pool;

/// Maximum time for getting a connection, and for the answer.
const WITHIN: Duration = Duration::from_secs(4);

/// The logs that have changed since other processes were last notified.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    names: Mutex<BTreeSet<LogName>>,
    added: Notify,
}

impl Changes {
    /// Adds a log, and wakes the task that notifies.
    pub(crate) fn add(&self, name: &LogName) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(name) {
            names.insert(name.clone());
        }
        self.added.notify_one();
    }

    /// Notifies other processes, once for all logs that have changed meanwhile. The transactions that change a log do not notify, since
    /// transactions that notify commit one at a time, in the whole cluster.
    pub(crate) async fn notify_others(self: Arc<Self>, pool: Arc<Pool>, process: String) {
        loop {
            self.added.notified().await;
            let names =
                std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner));
            let payloads = payloads(&process, names.iter());
            // A process that misses the notification finds the change at its next poll.
            if !payloads.is_empty()
                && let Err(failure) = notify(&pool, &payloads).await
            {
                tracing::debug!(
                    ?failure,
                    "could not notify the followers of event logs: they find the events at their next poll"
                );
            }
        }
    }
}

async fn notify(pool: &Arc<Pool>, payloads: &[String]) -> Result<(), Failure> {
    let mut lease = pool.lease_any(WITHIN).await?;
    let notified = timeout(WITHIN, lease.connection().query(NOTIFY_ALL, &[&payloads])).await;
    notified.map_err(|_| Failure::before_sending(Cause::NoAnswer(WITHIN)))??;
    lease.keep();
    Ok(())
}
