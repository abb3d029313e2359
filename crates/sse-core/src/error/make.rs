//! The constructors of errors, for this crate.

use crate::BoxError;
use crate::error::{Error, Kind};
use crate::store::error::StoreError;

impl Error {
    pub(crate) fn queue_full(events: usize, bytes: usize) -> Self {
        Kind::QueueFull { events, bytes }.into()
    }

    pub(crate) fn no_randomness(error: getrandom::Error) -> Self {
        Kind::NoRandomness(error).into()
    }

    pub(crate) fn store(during: &'static str, error: StoreError, may_have_happened: bool) -> Self {
        Kind::Store { during, error, may_have_happened }.into()
    }

    pub(crate) fn json(error: serde_json::Error) -> Self {
        Kind::Json(error).into()
    }

    pub(crate) fn invalid_event(reason: &'static str) -> Self {
        Kind::InvalidEvent(reason).into()
    }

    pub(crate) fn invalid_merge(reason: String) -> Self {
        Kind::InvalidMerge(reason).into()
    }

    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        Kind::TooLarge { size, limit }.into()
    }

    pub(crate) fn finished() -> Self {
        Kind::Finished.into()
    }

    pub(crate) fn source(during: &'static str, error: BoxError) -> Self {
        Kind::Source { during, error }.into()
    }

    pub(crate) fn overflow(events: usize, bytes: usize) -> Self {
        Kind::Overflow { events, bytes }.into()
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(std::sync::Arc::new(kind))
    }
}
