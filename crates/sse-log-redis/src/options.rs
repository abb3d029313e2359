use std::time::Duration;

use sse_core::StoreOptions;

/// How a log is kept in Redis.
///
/// ```
/// use sse_log_redis::{StoreOptions, Options};
///
/// let log = StoreOptions { events: 10_000, ..StoreOptions::default() };
/// let options = Options { log, prefix: "shop".into(), ..Options::default() };
/// assert_eq!(options.connect_timeout.as_secs(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How much is kept, and what is accepted; default [`StoreOptions::default`].
    ///
    /// Over Redis: the bytes kept are those of the events' blocks, and Redis takes about as much again for small ones. Ages go by the clock of the server.
    pub log: StoreOptions,
    /// What the names of the keys begin with; default `sse`. It has no braces.
    pub prefix: String,
    /// How long connecting to a server may take; default 1 s. A call for which there is none by then fails, and nothing was done.
    pub connect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log: StoreOptions::default(),
            prefix: "sse".into(),
            connect_timeout: Duration::from_secs(1),
        }
    }
}
