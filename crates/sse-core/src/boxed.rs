use std::error::Error;

/// An application's own error of any type, as a [`Source`](crate::Source) may return it.
///
/// ```
/// let error: sse_core::BoxError = "the database is gone".into();
/// assert_eq!(error.to_string(), "the database is gone");
/// ```
pub type BoxError = Box<dyn Error + Send + Sync>;
