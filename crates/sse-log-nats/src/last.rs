//! Finishing a log with its last events. NATS does not do both in one step: the end of a log is a change of its stream's configuration.
//!
//! So the last events are one message on a subject that only last events have: the server stores it whole or not at all, and it says that the log
//! is to be finished. The process that has stored it finishes the log at once. If that process ends before, every other process that meets the
//! message does: when it opens the log, appends for the first time, or follows the log.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{Appended, EncodedEvent, StoreError};
use tokio::time::{Instant, sleep_until};

use crate::append::append;
use crate::bounds::{info, load_view};
use crate::control;
use crate::core::LogCore;
use crate::error::as_outcome_unknown;
use crate::idempotency::batch::check_limits;
use crate::names::Batch;
use crate::record::WITH_LAST;
use crate::view::View;

/// The time that a follower gives the process that has stored the last events. Each waits for another time, up to twice this.
const GRACE: Duration = Duration::from_secs(1);

/// Stores these events, and finishes the log.
pub(crate) async fn finish_with(
    core: &Arc<LogCore>,
    events: &[EncodedEvent],
) -> Result<Appended, StoreError> {
    check_limits(core, events).await?;
    if load_view(core).await?.bounds.is_finished {
        // The process that has finished it may have ended before the log could say which idempotency keys it knows.
        control::finish(core).await?;
    } else {
        // Earlier versions must not read this log any more: they would skip its last events.
        control::change(core, |record| {
            let is_earlier = record.format < WITH_LAST;
            record.format = record.format.max(WITH_LAST);
            Ok(is_earlier)
        })
        .await?;
    }
    let appended = append(core, Batch::Last, events).await?;
    control::finish(core).await.map_err(as_outcome_unknown)?;
    Ok(appended)
}

/// Finishes the log if its last events are stored, also if another process has begun to finish it. Returns the view after that.
pub(crate) async fn complete(core: &LogCore, view: View) -> Result<View, StoreError> {
    if !is_due(core, &view).await? {
        return Ok(view);
    }
    control::finish(core).await?;
    load_view(core).await
}

/// Returns true if the last events of the log are stored, and it is not finished entirely. Only a log of the format that has last events is asked.
async fn is_due(core: &LogCore, view: &View) -> Result<bool, StoreError> {
    if view.info.is_closed() || view.record.format < WITH_LAST {
        return Ok(false);
    }
    let last = info(core, Some(core.names.any_last())).await?.state.subjects;
    Ok(last.is_some_and(|subjects| !subjects.is_empty()))
}

/// The time at which a follower finishes the log, if the last events are stored.
#[derive(Debug, Default)]
pub(crate) struct Due(Option<Instant>);

impl Due {
    /// Returns the time for a follower that begins with this view.
    pub(crate) async fn of(core: &LogCore, view: &View) -> Result<Self, StoreError> {
        let mut due = Self::default();
        if is_due(core, view).await? {
            due.begin();
        }
        Ok(due)
    }

    /// The last events have come.
    pub(crate) fn begin(&mut self) {
        self.0.get_or_insert_with(|| Instant::now() + GRACE.mul_f64(1.0 + fastrand::f64()));
    }

    /// The log is finished.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }

    /// Waits until it is time.
    pub(crate) async fn wait(&self) {
        match self.0 {
            Some(time) => sleep_until(time).await,
            None => pending().await,
        }
    }
}
