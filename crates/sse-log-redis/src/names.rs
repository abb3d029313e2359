use sse_core::store::LogName;

/// The keys of a log in Redis. They have the same hash tag.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) stream: String,
    pub(crate) meta: String,
    pub(crate) newest_of_key: String,
    pub(crate) once: String,
    /// The newest positions of each topic.
    pub(crate) topics: String,
    /// The positions of each topic before those.
    pub(crate) chunks: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str, name: &LogName) -> Self {
        let stream = format!("{prefix}:{{{name}}}");
        Self {
            meta: format!("{stream}:meta"),
            newest_of_key: format!("{stream}:keys"),
            once: format!("{stream}:once"),
            topics: format!("{stream}:topics"),
            chunks: format!("{stream}:chunks"),
            stream,
        }
    }

    /// Returns the keys in the order in which each script takes them.
    pub(crate) fn all(&self) -> [&str; 6] {
        let Self { stream, meta, newest_of_key, once, topics, chunks } = self;
        [stream, meta, newest_of_key, once, topics, chunks]
    }
}

/// Checks that a prefix has no braces, which would change the hash tag.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), String> {
    match prefix.contains(['{', '}']) {
        true => Err(format!("the prefix {prefix:?} is invalid: remove the braces")),
        false => Ok(()),
    }
}

/// Returns the name of the log that has this `meta` key.
pub(crate) fn log_of_meta(prefix: &str, key: &str) -> Option<LogName> {
    let name = key.strip_prefix(prefix)?.strip_prefix(":{")?.strip_suffix("}:meta")?;
    LogName::try_from(name).ok()
}
