//! Admission of events: an append waits until the log has room for them.

use std::sync::Arc;

use sse_core::store::{EncodedEvent, StoreError};
use tokio::time::timeout;

use crate::core::LogCore;
use crate::retain;
use crate::tally::{Room, size};

/// Waits until the log has room for these events. It may have twice its limits and 1000 events.
pub(crate) async fn admit<'a>(
    core: &'a Arc<LogCore>,
    events: &[EncodedEvent],
) -> Result<Room<'a>, StoreError> {
    let (tally, size) = (&core.tally, size(events));
    let waiting = async {
        let mut passes = tally.passes.subscribe();
        let mut has_waited = false;
        loop {
            passes.borrow_and_update();
            if let Some(room) = tally.attempt(size, &core.options.retention(), has_waited)? {
                return Ok(room);
            }
            drop_excess(core);
            // The log has the sender, so this never fails.
            _ = passes.changed().await;
            has_waited = true;
        }
    };
    let error = "append timed out: old events are not dropped as fast as new events come";
    timeout(core.requests.timeout, waiting).await.unwrap_or(Err(StoreError::failed(error)))
}

/// Drops the events that are over the limits, unless a pass is running.
fn drop_excess(core: &Arc<LogCore>) {
    if !core.tally.begin_pass() {
        return;
    }
    let core = Arc::clone(core);
    tokio::spawn(async move {
        let retention = core.options.retention();
        let retained = timeout(core.requests.timeout, retain::retain(&core, &retention));
        let retained =
            retained.await.unwrap_or_else(|_| Err(StoreError::failed("retention timed out")));
        let (has_failed_before, log) =
            (core.tally.end(retained.as_ref().map(drop)), &core.names.log);
        match &retained {
            Err(error) if !has_failed_before => {
                tracing::warn!(
                    log,
                    ?error,
                    "retention failed: the log may hold more than its limits"
                );
            }
            Ok(_) if has_failed_before => tracing::info!(log, "retention succeeds again"),
            _ => {}
        }
    });
}

/// Counts events that were stored in this message. If the log then has too many, it drops old events.
pub(crate) fn stored(room: Room<'_>, core: &Arc<LogCore>, message: u64) {
    if room.stored(message, &core.options.retention()) {
        drop_excess(core);
    }
}
