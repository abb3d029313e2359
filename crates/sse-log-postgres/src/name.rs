use sse_core::store::LogName;

/// What the followers of a log listen to. Postgres takes 63 bytes: logs whose names begin alike wake one another, and find nothing.
pub(crate) fn channel(name: &LogName) -> String {
    format!("sse_log_{}", &name.as_str()[..name.as_str().len().min(55)])
}
