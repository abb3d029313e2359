use std::time::Duration;

/// Options of an [`Engine`](crate::Engine): how it keeps its logs in NATS.
///
/// ```
/// use sse_log_nats::EngineOptions;
///
/// let options = EngineOptions::new().prefix("shop");
/// assert_eq!(options.replicas, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Prefix of the names of streams and subjects, 1 to 32 of `[a-z0-9]`. Streams have it in capitals.
    ///
    /// Default: `sse`.
    pub prefix: String,
    /// Number of servers of a cluster that keep a log. It applies when the log is created. More than one are [not tested](crate#limits).
    ///
    /// Default: 1.
    pub replicas: usize,
    /// JetStream domain that has the logs, if it is not that of the server that the engine connects to: one word without a dot.
    ///
    /// Default: `None`, the domain of that server.
    pub domain: Option<String>,
    /// Time that a call waits for a connection if there is none. Then it fails, and nothing was done. If the URL has several servers, they share the time.
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

    /// Sets [`replicas`](field@Self::replicas).
    #[must_use]
    pub fn replicas(self, replicas: usize) -> Self {
        Self { replicas, ..self }
    }

    /// Sets [`domain`](field@Self::domain).
    #[must_use]
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// Sets [`connect_timeout`](field@Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            prefix: "sse".into(),
            replicas: 1,
            domain: None,
            connect_timeout: Duration::from_secs(1),
        }
    }
}

impl EngineOptions {
    /// Returns the prefix of the subjects of JetStream's API.
    pub(crate) fn api(&self) -> Result<String, &'static str> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        match self.domain.as_deref() {
            None => Ok("$JS.API.".into()),
            Some(domain) if !domain.is_empty() && domain.bytes().all(is_plain) => {
                Ok(format!("$JS.{domain}.API."))
            }
            Some(_) => {
                Err("the JetStream domain is invalid: it takes at least one of [A-Za-z0-9_-]")
            }
        }
    }
}
