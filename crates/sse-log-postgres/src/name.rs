use sse_core::store::StoreError;

/// The name of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogName(String);

impl LogName {
    pub(crate) fn new(name: &str) -> Result<Self, StoreError> {
        let is_one = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        match is_one {
            true => Ok(Self(name.into())),
            false => Err(StoreError::failed(format!(
                "{name:?} is no name for a log: that is 1 to 64 of [A-Za-z0-9_-]"
            ))),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What followers of the log listen to. Postgres takes 63 bytes: logs whose names begin alike wake one another, and find nothing.
    pub(crate) fn channel(&self) -> String {
        format!("sse_log_{}", &self.0[..self.0.len().min(55)])
    }
}
