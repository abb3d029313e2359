//! The constructors of errors, for this crate; the conversions; the text of an error, and its source.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::boxed::BoxError;
use crate::chain::Chain;
use crate::error::kind::Kind;
use crate::error::{Error, StoreLabel};
use crate::field::InvalidField;
use crate::gap::Gap;
use crate::store::error::StoreError;
use crate::topic::InvalidTopic;

impl Error {
    pub(crate) fn queue_full(events: usize, bytes: usize) -> Self {
        Kind::QueueFull { events, bytes }.into()
    }

    pub(crate) fn no_randomness(error: getrandom::Error) -> Self {
        Kind::NoRandomness(error).into()
    }

    pub(crate) fn store(
        of: StoreLabel,
        during: &'static str,
        error: StoreError,
        may_have_happened: bool,
    ) -> Self {
        Kind::Store { of, during, error, may_have_happened }.into()
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

    pub(crate) fn topics_unsupported() -> Self {
        Kind::TopicsUnsupported.into()
    }

    pub(crate) fn times_unsupported(store: Option<StoreLabel>) -> Self {
        Kind::TimesUnsupported(store).into()
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
        Self(Arc::new(kind))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Finished => Self::finished(),
            error => {
                let may_have_happened = matches!(error, StoreError::OutcomeUnknown(_));
                Self::store(StoreLabel::default(), "being asked", error, may_have_happened)
            }
        }
    }
}

impl From<Error> for StoreError {
    /// Makes a [`StoreError::Failed`]: the call certainly changed nothing.
    fn from(error: Error) -> Self {
        Self::failed(error)
    }
}

/// Makes an [`io::ErrorKind::Other`] with this error as its source, for `?` in a `main` that returns `io::Result`.
///
/// ```
/// # use sse_core::{Error, EventLog};
/// async fn hello(log: &EventLog) -> std::io::Result<()> {
///     log.append("hello").await?;
///     Ok(())
/// }
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// log.finish().await.unwrap();
/// let error = hello(&log).await.unwrap_err();
/// assert!(error.downcast::<Error>().is_ok_and(|error| error.is_finished()));
/// # }).unwrap();
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl From<InvalidField> for Error {
    fn from(error: InvalidField) -> Self {
        Kind::InvalidField(error).into()
    }
}

impl From<InvalidTopic> for Error {
    fn from(error: InvalidTopic) -> Self {
        Kind::InvalidTopic(error).into()
    }
}

impl From<Gap> for Error {
    fn from(gap: Gap) -> Self {
        Kind::Gap(gap).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Json(_) => write!(f, "the value cannot be written as JSON"),
            Kind::InvalidEvent(reason) => write!(f, "the event log refused the event: {reason}"),
            Kind::InvalidField(error) => error.fmt(f),
            Kind::InvalidTopic(error) => error.fmt(f),
            Kind::TopicsUnsupported => write!(f, "the store of the event log keeps no topics"),
            Kind::TimesUnsupported(None) => write!(
                f,
                "a stream cannot begin with `Start::Since`: the event log in memory keeps no times; set `LogOptions::keeps_times`"
            ),
            Kind::TimesUnsupported(Some(of)) => write!(
                f,
                "a stream cannot begin with `Start::Since`: the store of the event log{of} keeps no times; begin with another `Start`"
            ),
            Kind::InvalidMerge(reason) => write!(f, "these logs cannot be merged: {reason}"),
            Kind::TooLarge { size, limit } => write!(
                f,
                "the event is too large: it has {size} bytes when encoded, and {limit} are allowed (in a log by `largest_event`)"
            ),
            Kind::Finished => write!(f, "the event log refused the event: the log is finished"),
            Kind::Gap(gap) => gap.fmt(f),
            Kind::Source { during, .. } => {
                write!(f, "the source of the stream failed while {during}")
            }
            Kind::Overflow { events, bytes } => write!(
                f,
                "more than {events} events or {bytes} bytes were published while a client caught up: its response ends, \
                 and it comes back for the rest"
            ),
            Kind::QueueFull { events, bytes } => write!(
                f,
                "the event log refused the event: {events} events or {bytes} bytes wait to be stored already; add it later, or await `append`"
            ),
            Kind::NoRandomness(_) => {
                write!(f, "the system has no random numbers for the epoch of an event log")
            }
            Kind::Store { of, during, may_have_happened: false, .. } => {
                write!(f, "the store of the event log{of} failed while {during}")
            }
            Kind::Store { of, during, .. } => {
                write!(
                    f,
                    "the store of the event log{of} failed while {during}: it may have succeeded, its reply did not arrive"
                )
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            // The text has said all that the `StoreError` says, but not why.
            Kind::Store { error, .. } => {
                write!(f, "{self}: {}", Chain(error.source().unwrap_or(error)))
            }
            _ => fmt::Display::fmt(&Chain(self), f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            Kind::Json(error) => Some(error),
            Kind::Source { error, .. } => Some(&**error),
            Kind::Store { error, .. } => Some(error),
            Kind::NoRandomness(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_its_log_its_address_and_its_sources_on_one_line() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "Connection refused");
        let of = StoreLabel::new("orders", "redis://127.0.0.1:6379");
        let error = Error::store(of, "opening the log", StoreError::failed(refused), false);
        let text = "the store of the event log `orders` at redis://127.0.0.1:6379 failed while opening the log: Connection refused";
        assert_eq!(format!("{error:?}"), text);
        assert_eq!(format!("{:?}", Error::finished()), Error::finished().to_string());
        let failed = StoreError::failed("the disk is full");
        assert_eq!(format!("{failed:?}"), "the store failed: the disk is full");
        let source = Error::source("fetching", Box::new(error));
        assert_eq!(format!("{source:?}").matches("Connection refused").count(), 1);
    }
}
