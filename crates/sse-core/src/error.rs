use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::boxed::BoxError;
use crate::gap::Gap;
use crate::store::error::StoreError;

mod convert;

/// What went wrong: one type, to be printed, or asked what it is.
///
/// ```
/// use sse_core::{Event, EventId, EventLog};
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let error = log.append(Event::new("x").id(EventId::from_static("mine"))).await.unwrap_err();
/// assert!(error.is_invalid_event());
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Error(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Json(serde_json::Error),
    InvalidEvent(&'static str),
    TooLarge { size: usize, limit: usize },
    InvalidMerge(String),
    Finished,
    Gap(Gap),
    Source { during: &'static str, error: BoxError },
    Overflow { events: usize, bytes: usize },
    Store { during: &'static str, error: StoreError, may_have_happened: bool },
    QueueFull { events: usize, bytes: usize },
    NoRandomness(getrandom::Error),
}

impl Error {
    /// Whether a value had no JSON.
    pub fn is_serialization(&self) -> bool {
        matches!(*self.0, Kind::Json(_))
    }

    /// Whether a log refused an event: it has an id of its own, or no data.
    pub fn is_invalid_event(&self) -> bool {
        matches!(*self.0, Kind::InvalidEvent(_))
    }

    /// Whether logs could not be merged as they were named.
    pub fn is_invalid_merge(&self) -> bool {
        matches!(*self.0, Kind::InvalidMerge(_))
    }

    /// Whether a log refused an event for its size.
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, Kind::TooLarge { .. })
    }

    /// Whether a log refused an event because it is finished.
    pub fn is_finished(&self) -> bool {
        matches!(*self.0, Kind::Finished)
    }

    /// Whether an id cannot be resumed from; [`gap`](Error::gap) says why.
    pub fn is_gap(&self) -> bool {
        self.gap().is_some()
    }

    /// Why an id cannot be resumed from.
    pub fn gap(&self) -> Option<&Gap> {
        match &*self.0 {
            Kind::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    /// Whether the application's own [`Source`](crate::Source) or closure failed; `source()` is its error.
    pub fn is_source(&self) -> bool {
        matches!(*self.0, Kind::Source { .. })
    }

    /// Whether more was published during a replay than is kept for one client. The client comes back for the rest.
    pub fn is_overflow(&self) -> bool {
        matches!(*self.0, Kind::Overflow { .. })
    }

    /// Whether the store of a log failed; `source()` is its error.
    pub fn is_store(&self) -> bool {
        matches!(*self.0, Kind::Store { .. })
    }

    /// Whether the store failed, and may yet have done what it was asked for: an event may or may not have been appended.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(*self.0, Kind::Store { may_have_happened: true, .. })
    }

    /// Whether too many events of [`EventLog::append_now`](crate::EventLog::append_now) wait to be stored: this one was refused.
    pub fn is_queue_full(&self) -> bool {
        matches!(*self.0, Kind::QueueFull { .. })
    }

    pub(crate) fn queue_full(events: usize, bytes: usize) -> Self {
        Kind::QueueFull { events, bytes }.into()
    }

    /// Whether the system had no random numbers for an [`Epoch`](crate::Epoch).
    pub fn is_no_randomness(&self) -> bool {
        matches!(*self.0, Kind::NoRandomness(_))
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
        Self(Arc::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Json(_) => write!(f, "the value has no JSON"),
            Kind::InvalidEvent(reason) => write!(f, "the event log refused the event: {reason}"),
            Kind::InvalidMerge(reason) => write!(f, "these logs cannot be merged: {reason}"),
            Kind::TooLarge { size, limit } => write!(
                f,
                "the event log refused the event: {size} bytes when encoded, and `largest_event` allows {limit}"
            ),
            Kind::Finished => write!(f, "the event log refused the event: it is finished"),
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
                write!(
                    f,
                    "the system has no random numbers, of which the epoch of an event log is made"
                )
            }
            Kind::Store { during, may_have_happened: false, .. } => {
                write!(f, "the store of the event log failed while {during}")
            }
            Kind::Store { during, .. } => {
                write!(
                    f,
                    "the store of the event log failed while {during}: whether it was done is not known"
                )
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
