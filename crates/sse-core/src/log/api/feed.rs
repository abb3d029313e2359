use crate::{EventLog, Feed};

impl EventLog {
    /// A feed of this log, to be given options: `log.feed().keep_alive(..)`. Without any, the log itself will do.
    pub fn feed(&self) -> Feed {
        Feed::from(self)
    }
}
