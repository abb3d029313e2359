use std::any::Any;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sse_core::store::StoreError;

/// Why something was not done to a file.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The log takes no more events.
    Finished,
    /// We would not.
    Refused(String),
    /// redb could not; it may need to be opened anew.
    Engine(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl Failure {
    /// Whether the disk has no room.
    pub(crate) fn is_full(&self) -> bool {
        let Self::Engine(redb::Error::Io(error)) = self else { return false };
        matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }

    /// What the log is told, if nothing was stored for certain.
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
                "it is open already, in another process or by another path, and one process at a time has a file",
            ),
            Self::Engine(redb::Error::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                write!(f, "it is no redb file: {error}")
            }
            Self::Engine(redb::Error::Corrupted(what)) => {
                write!(f, "it is damaged, restore it from a backup: {what}")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

/// Does this, and turns a panic of redb's into an error: redb panics on some files that are damaged.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What the panic leaves half done is the open database, which is then closed.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Failure::Engine(redb::Error::Corrupted(message_of(&*panic).to_owned())))
    })
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("redb has panicked")
}

/// Returns the error of a call whose thread has ended.
pub(crate) fn threads_ended() -> StoreError {
    StoreError::failed("the threads of the file have ended")
}
