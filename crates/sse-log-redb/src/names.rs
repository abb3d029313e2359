use sse_core::store::LogName;

/// What the tables of a log are called. No name has a slash, and so no table of one log is called as one of another.
#[derive(Debug)]
pub(crate) struct TableNames {
    pub(crate) events: String,
    pub(crate) keys: String,
    pub(crate) once: String,
    pub(crate) once_order: String,
}

impl TableNames {
    pub(crate) fn of(log: &LogName) -> Self {
        let table = |kind| format!("{log}/{kind}");
        Self {
            events: table("events"),
            keys: table("keys"),
            once: table("once"),
            once_order: table("once-order"),
        }
    }
}
