use std::time::Duration;

/// The options of an engine, which all its logs share. [`StoreOptions`](crate::StoreOptions) has the limits of a single log.
///
/// ```
/// use sse_log_redis::EngineOptions;
///
/// let options = EngineOptions::new().prefix("shop");
/// assert_eq!(options.connect_timeout.as_secs(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineOptions {
    /// The text with which the names of the keys begin. It must have no braces.
    ///
    /// Default: `sse`.
    pub prefix: String,
    /// The time within which a connection to a server must be open. A call that gets no connection by then fails and has done nothing.
    ///
    /// Default: 1 s.
    pub connect_timeout: Duration,
}

impl EngineOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`prefix`](field@Self::prefix).
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets [`connect_timeout`](field@Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { prefix: "sse".into(), connect_timeout: Duration::from_secs(1) }
    }
}
