//! Catching a panic in the application's code as an error, so that it ends one response and not the connection.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::BoxError;

/// Runs code of the application. The caller must not run it again after a panic.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, BoxError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| error(&*panic))
}

/// Returns the text of a panic as an error.
pub(crate) fn error(panic: &(dyn Any + Send)) -> BoxError {
    let text = panic.downcast_ref::<&str>().copied();
    match text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)) {
        Some(text) => format!("it panicked: {text}").into(),
        None => "it panicked".into(),
    }
}
