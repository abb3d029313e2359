use std::fmt;
use std::sync::Arc;

use sse_core::store::StoreError;

/// The name of a log in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogName(Arc<str>);

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
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
