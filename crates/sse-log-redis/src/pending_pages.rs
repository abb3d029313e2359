use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use redis::Value;
use sse_core::Position;
use sse_core::store::StoreError;
use tokio::task::JoinHandle;

use crate::log_state::LogState;

/// The limit of pages whose reply may still come although no call waits for it.
const MOST: usize = 4;

/// A reply of Redis to the request of a page: the entries, each with its id and its fields, and the state of the log.
pub(crate) type PageReply = (Vec<(String, Vec<Value>)>, LogState);

/// The pages that were requested and did not arrive in time. A call that requests such a page again waits for the same reply: over a slow
/// line, a large event that was requested from its beginning each time would never arrive.
#[derive(Debug, Default)]
pub(crate) struct PendingPages(Mutex<Vec<PendingPage>>);

#[derive(Debug)]
pub(crate) struct PendingPage {
    pub(crate) after: Position,
    /// The number of events that were requested.
    pub(crate) count: usize,
    pub(crate) requested: Instant,
    pub(crate) task: JoinHandle<Result<PageReply, StoreError>>,
}

impl Drop for PendingPage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PendingPages {
    /// Returns true if the page after this position is pending.
    pub(crate) fn contains(&self, after: Position) -> bool {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.iter().any(|page| page.after == after)
    }

    /// Removes the page after this position, and returns it.
    pub(crate) fn take(&self, after: Position) -> Option<PendingPage> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.iter().position(|page| page.after == after)?;
        Some(pages.remove(at))
    }

    /// Adds a page, and drops the oldest if there are too many.
    pub(crate) fn add(&self, page: PendingPage) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() == MOST {
            pages.remove(0);
        }
        pages.push(page);
    }
}
