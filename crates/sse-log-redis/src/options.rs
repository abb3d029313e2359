use std::time::Duration;

/// How a Redis is reached, and what the logs in it share. What a log keeps and accepts is in [`StoreOptions`](crate::StoreOptions).
///
/// ```
/// use sse_log_redis::EngineOptions;
///
/// let options = EngineOptions { prefix: "shop".into(), ..EngineOptions::default() };
/// assert_eq!(options.connect_timeout.as_secs(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// The text that the names of the keys begin with. It has no braces. Default: `sse`.
    pub prefix: String,
    /// How long connecting to a server may take. A call for which there is no connection by then fails, and nothing was done. Default: 1 s.
    pub connect_timeout: Duration,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { prefix: "sse".into(), connect_timeout: Duration::from_secs(1) }
    }
}
