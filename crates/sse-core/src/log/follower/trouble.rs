use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that a store may fail to do for a while: said once when that begins, and once when it is over, with the name of the log.
pub(crate) struct Trouble {
    log: String,
    what: &'static str,
    has_begun: AtomicBool,
}

impl Trouble {
    pub(crate) fn new(log: &str, what: &'static str) -> Self {
        Self { log: log.to_owned(), what, has_begun: AtomicBool::new(false) }
    }

    pub(crate) fn begins(&self, error: &(dyn Error + 'static)) {
        if !self.has_begun.swap(true, Ordering::Relaxed) {
            let log = self.log.as_str();
            tracing::warn!(log, error, "{} failed; it is tried again until it succeeds", self.what);
        }
    }

    pub(crate) fn is_over(&self) {
        if self.has_begun.swap(false, Ordering::Relaxed) {
            tracing::info!(log = self.log.as_str(), "{} succeeds again", self.what);
        }
    }
}
