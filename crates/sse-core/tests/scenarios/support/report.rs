use std::sync::{Arc, Mutex};

use sse_core::{Error, FeedOnce};

/// The errors that `on_error` was called with.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<Error>>>);

impl Reports {
    /// The same feed, whose errors come here.
    pub(crate) fn of(&self, feed: impl Into<FeedOnce>) -> FeedOnce {
        let reports = Arc::clone(&self.0);
        feed.into().on_error(move |error| {
            reports.lock().expect("not poisoned").push(error.clone());
        })
    }

    /// The only error so far.
    #[track_caller]
    pub(crate) fn only(&self) -> Error {
        let mut reports = self.0.lock().expect("not poisoned");
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports.remove(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().expect("not poisoned").is_empty()
    }
}
