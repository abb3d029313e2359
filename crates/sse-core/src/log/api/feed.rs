use crate::{EventLog, Feed};

impl EventLog {
    /// Returns a feed of this log, to set options: `log.feed().keep_alive(..)`. Without options, use the log itself.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let feed = log.feed().retry(Duration::from_secs(1));
    /// assert!(format!("{feed:?}").contains("retry: Some(1s)"));
    /// ```
    pub fn feed(&self) -> Feed {
        Feed::from(self)
    }
}
