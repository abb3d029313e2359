//! Admitting events to a log.

use std::sync::Arc;

use sse_core::store::{NewEvent, StoreError};
use tokio::time::timeout;

use crate::core::Shared;
use crate::retain;
use crate::tally::{Room, size};

/// Waits until there is room for these events: twice what the log may have, and 1000 events.
pub(crate) async fn admit<'a>(
    shared: &'a Arc<Shared>,
    events: &[NewEvent],
) -> Result<Room<'a>, StoreError> {
    let (keeping, size) = (&shared.keeping, size(events));
    let waiting = async {
        let mut passes = keeping.passes.subscribe();
        let mut has_waited = false;
        loop {
            passes.borrow_and_update();
            if let Some(room) = keeping.attempt(size, &shared.options.retention(), has_waited)? {
                return Ok(room);
            }
            drop_excess(shared);
            // The sender is the log's.
            _ = passes.changed().await;
            has_waited = true;
        }
    };
    let error = "old events are not dropped as fast as new ones come";
    timeout(shared.connection.timeout, waiting).await.unwrap_or(Err(StoreError::failed(error)))
}

/// Drops events that are over the limits, unless that is being done.
fn drop_excess(shared: &Arc<Shared>) {
    if !shared.keeping.begin_pass() {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let retention = shared.options.retention();
        let retained = timeout(shared.connection.timeout, retain::retain(&shared, &retention));
        let retained =
            retained.await.unwrap_or_else(|_| Err(StoreError::failed("it took too long")));
        if let Err(error) = &retained {
            let error = error as &dyn std::error::Error;
            tracing::warn!(log = shared.names.log, error, "old events of a log were not dropped");
        }
        shared.keeping.end(retained.as_ref().copied());
    });
}

/// The events are stored, as this message. If that makes too many, old ones are dropped.
pub(crate) fn stored(room: Room<'_>, shared: &Arc<Shared>, message: u64) {
    if room.stored(message, &shared.options.retention()) {
        drop_excess(shared);
    }
}
