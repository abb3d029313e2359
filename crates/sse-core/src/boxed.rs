use std::error::Error;

/// Any error of an application's own, as a [`Source`](crate::Source) may return it.
pub type BoxError = Box<dyn Error + Send + Sync>;
