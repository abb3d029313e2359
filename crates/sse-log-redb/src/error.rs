use std::any::Any;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sse_core::store::StoreError;

/// Reason why an operation on a file failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Finished log: it accepts no more events.
    Finished,
    /// Refusal by this crate.
    Refused(String),
    /// Error of redb, after which the file may have to be opened again.
    Engine(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl Failure {
    /// Returns true if the disk has no room.
    pub(crate) fn is_full(&self) -> bool {
        let Self::Engine(redb::Error::Io(error)) = self else { return false };
        matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }

    /// Returns the error for the log. It means that nothing was stored.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Finished => StoreError::Finished,
            Self::Refused(reason) => StoreError::failed(reason),
            Self::Engine(_) => StoreError::failed(self.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("the log is finished"),
            Self::Refused(reason) => f.write_str(reason),
            Self::Engine(redb::Error::DatabaseAlreadyOpen) => f.write_str(
                "the file is already open, in another process or by another path, and only one process at a time can open it: close it there, or set a longer `connect_timeout`",
            ),
            Self::Engine(redb::Error::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                write!(f, "the file is not a redb file: {error}")
            }
            Self::Engine(redb::Error::Corrupted(what)) => {
                write!(f, "the file is damaged, restore it from a backup: {what}")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

/// Runs this, and turns a panic of redb into an error: redb panics on some damaged files.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // The panic leaves only the open database unfinished, and the caller then closes that.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Failure::Engine(redb::Error::Corrupted(message_of(&*panic).to_owned())))
    })
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("redb panicked")
}

/// Returns the error of a call whose thread has ended.
pub(crate) fn threads_ended() -> StoreError {
    StoreError::failed("the threads of the file have ended")
}
