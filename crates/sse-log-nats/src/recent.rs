//! What was seen of a log while it is being opened: following and retention begin with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::bounds::Look;
use crate::store::Shared;

/// For how long it is as good as another look.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The newest look that has counted the batches, until it is used.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Option<(At, Look)>>);

/// When a look began, and how often the record had changed by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    time: Instant,
    changed: u64,
}

impl Recent {
    /// A look begins.
    pub(crate) fn now(&self, shared: &Shared) -> At {
        At { time: Instant::now(), changed: *shared.told.changed.borrow() }
    }

    pub(crate) fn keep(&self, at: At, look: &Look) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((at, look.clone()));
    }

    /// The look, if it is new enough and the record has not changed since. What the log has since is told otherwise.
    pub(crate) fn get(&self, shared: &Shared) -> Option<Look> {
        let now = self.now(shared);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, look) = kept.as_ref()?;
        let is_good = now.time - at.time < GOOD_FOR && now.changed == at.changed;
        is_good.then(|| look.clone())
    }

    /// The same; it is not kept any longer.
    pub(crate) fn take(&self, shared: &Shared) -> Option<Look> {
        let look = self.get(shared);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        look
    }
}
