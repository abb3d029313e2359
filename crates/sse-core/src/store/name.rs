use std::fmt;
use std::sync::Arc;

use crate::store::StoreError;

/// The name of a log in its store: 1 to 64 of `[A-Za-z0-9_-]`. The rule is the same for every store, so that a log can move to another.
/// Upper and lower case differ.
///
/// ```
/// use sse_core::store::LogName;
///
/// let name = LogName::try_from("prices_EUR-2")?;
/// assert_eq!(name.as_str(), "prices_EUR-2");
/// let refused = LogName::try_from("prices/EUR").unwrap_err();
/// assert_eq!(refused.to_string(), r#""prices/EUR" cannot name a log: use 1 to 64 of [A-Za-z0-9_-]"#);
/// # Ok::<(), sse_core::store::InvalidLogName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName(Arc<str>);

/// The error for a text that cannot be the name of a log. It prints the text and the rule.
///
/// ```
/// use sse_core::store::{InvalidLogName, LogName};
///
/// let error: InvalidLogName = LogName::try_from("").unwrap_err();
/// assert!(error.to_string().contains("1 to 64 of [A-Za-z0-9_-]"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a log: use 1 to 64 of [A-Za-z0-9_-]")]
pub struct InvalidLogName(String);

impl LogName {
    /// The length of the longest name: 64 bytes.
    ///
    /// ```
    /// use sse_core::store::LogName;
    ///
    /// assert!(LogName::try_from(&*"x".repeat(LogName::MAX_LEN)).is_ok());
    /// assert!(LogName::try_from(&*"x".repeat(LogName::MAX_LEN + 1)).is_err());
    /// ```
    pub const MAX_LEN: usize = 64;

    /// Returns the text.
    ///
    /// ```
    /// let name = sse_core::store::LogName::try_from("prices")?;
    /// assert_eq!(name.as_str(), "prices");
    /// # Ok::<(), sse_core::store::InvalidLogName>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for LogName {
    type Error = InvalidLogName;

    fn try_from(name: &str) -> Result<Self, InvalidLogName> {
        let is_valid = (1..=Self::MAX_LEN).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        match is_valid {
            true => Ok(Self(name.into())),
            false => Err(InvalidLogName(name.into())),
        }
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<InvalidLogName> for StoreError {
    fn from(error: InvalidLogName) -> Self {
        Self::failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_1_to_64_letters_digits_hyphens_and_underscores() {
        for name in ["", "a.b", "a b", "a/b", "a{b}", "ä", "*", "a\n", "a\0", &"x".repeat(65)] {
            let error = LogName::try_from(name).expect_err("no name").to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
        for name in ["x", "-", "_", "a-B_9", &"x".repeat(64)] {
            assert_eq!(LogName::try_from(name).expect("a name").as_str(), name);
        }
    }
}
