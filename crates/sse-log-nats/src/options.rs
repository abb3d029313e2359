use std::time::Duration;

/// How an [`Engine`](crate::Engine) keeps its logs in NATS.
///
/// ```
/// use sse_log_nats::EngineOptions;
///
/// let options = EngineOptions { prefix: "shop".into(), ..EngineOptions::default() };
/// assert_eq!(options.replicas, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EngineOptions {
    /// What the names of the streams and subjects begin with. It is 1 to 32 of `[a-z0-9]`; a stream has it in capitals.
    ///
    /// Default: `sse`.
    pub prefix: String,
    /// On how many servers of a cluster a log is kept, when it is created. More than one are [not tested](crate#limits).
    ///
    /// Default: 1.
    pub replicas: usize,
    /// The JetStream domain that has the logs, if the server that is connected to has another: one word without a dot.
    ///
    /// Default: `None`, the domain of the server that is connected to.
    pub domain: Option<String>,
    /// How long a call waits for a connection if there is none. After that it fails, and nothing was done. Several servers share it.
    ///
    /// Default: 1 s.
    pub connect_timeout: Duration,
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
    /// What the subjects of JetStream's API begin with.
    pub(crate) fn api(&self) -> Result<String, &'static str> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        match self.domain.as_deref() {
            None => Ok("$JS.API.".into()),
            Some(domain) if !domain.is_empty() && domain.bytes().all(is_plain) => {
                Ok(format!("$JS.{domain}.API."))
            }
            Some(_) => Err("a JetStream domain is at least one of [A-Za-z0-9_-]"),
        }
    }
}
