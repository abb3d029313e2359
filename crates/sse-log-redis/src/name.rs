use sse_core::store::LogName;

/// The keys of a log, all with one hash tag.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) stream: String,
    pub(crate) meta: String,
    pub(crate) newest_of_key: String,
    pub(crate) changes: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str, name: &LogName) -> Result<Self, String> {
        if prefix.contains(['{', '}']) {
            return Err(format!(
                "{prefix:?} is no prefix for the keys of a log: that has no braces"
            ));
        }
        let stream = format!("{prefix}:{{{name}}}");
        Ok(Self {
            meta: format!("{stream}:meta"),
            newest_of_key: format!("{stream}:keys"),
            changes: format!("{stream}:changes"),
            stream,
        })
    }

    /// Where an idempotency key is remembered.
    pub(crate) fn once(&self, idempotency_key: &str) -> String {
        format!("{}:once:{idempotency_key}", self.stream)
    }
}
