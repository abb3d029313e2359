use sse_core::store::LogName;

/// Names of the tables of a log. The name of a log has no slash, so tables of different logs have different names.
#[derive(Debug)]
pub(crate) struct TableNames {
    pub(crate) events: String,
    pub(crate) keys: String,
    pub(crate) once: String,
    pub(crate) once_order: String,
    pub(crate) topics: String,
    pub(crate) runs: String,
}

impl TableNames {
    pub(crate) fn of(log: &LogName) -> Self {
        let table = |kind| format!("{log}/{kind}");
        Self {
            events: table("events"),
            keys: table("keys"),
            once: table("once"),
            once_order: table("once-order"),
            topics: table("topics"),
            runs: table("runs"),
        }
    }
}
