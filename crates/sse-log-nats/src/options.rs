use std::time::Duration;

use sse_core::StoreOptions;

/// How a log is kept in NATS.
///
/// ```
/// use sse_log_nats::{StoreOptions, Options};
///
/// let log = StoreOptions { events: 10_000, ..StoreOptions::default() };
/// let options = Options { log, prefix: "shop".into(), ..Options::default() };
/// assert_eq!(options.replicas, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How much is kept, and what is accepted; default [`StoreOptions::default`].
    ///
    /// Over NATS: keys and idempotency keys count as bytes, too. Ages go by the clock of the server, and of this machine. Limits may be
    /// passed by what is appended in 10 s.
    pub log: StoreOptions,
    /// What the names of the streams and subjects begin with; default `sse`. It is 1 to 32 of `[a-z0-9]`; a stream has it in capitals.
    pub prefix: String,
    /// On how many servers of a cluster the log is kept, when it is created; default 1. More are [not tested](crate#limits).
    pub replicas: usize,
    /// How long a call waits for a connection where there is none; default 1 s. After that it fails, and nothing was done. Several
    /// servers share it.
    pub connect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log: StoreOptions::default(),
            prefix: "sse".into(),
            replicas: 1,
            connect_timeout: Duration::from_secs(1),
        }
    }
}
