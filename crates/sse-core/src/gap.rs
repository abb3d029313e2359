use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::EventId;

mod reset;

/// The reason why a client cannot resume exactly where it was, and the events that it can still get.
///
/// ```
/// use sse_core::{EventId, EventLog, GapReason};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let newest = log.append("hello").await?;
/// let error = log.read_after(&EventId::from_static("no-id"), 10).await.unwrap_err();
/// let gap = error.gap().unwrap();
/// assert_eq!(gap.reason, GapReason::Unknown);
/// assert_eq!((gap.oldest.as_ref(), gap.newest.as_ref()), (Some(&newest), Some(&newest)));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The fault in the client's last event ID.
    pub reason: GapReason,
    /// The oldest event that is kept; `None` if there is no event, or if a [`Source`](crate::Source) reported the gap.
    pub oldest: Option<EventId>,
    /// The newest event; `None` if `oldest` is.
    pub newest: Option<EventId>,
    /// The name of the log that has the gap, in a [`merge`](crate::merge) of several.
    pub log: Option<Arc<str>>,
    /// The position just before the oldest event: a client that resumes from it gets all that is kept.
    pub(crate) restart: Option<EventId>,
}

/// The fault in a client's last event ID.
///
/// ```
/// use sse_core::{Event, EventLog, GapReason};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1);
/// let first = log.append("one").await?;
/// log.append_all(["two", "three"]).await?;
/// let error = log.read_after(&first, 10).await.unwrap_err();
/// assert_eq!(error.gap().unwrap().reason, GapReason::TooOld);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapReason {
    /// Events after it are no longer kept.
    TooOld,
    /// No log could have given it.
    Unknown,
    /// Another epoch of the log gave it: the log has been created again since.
    OtherEpoch,
    /// It is newer than the newest event: the log has lost events since.
    AheadOfHead,
}

impl GapReason {
    /// The reasons, each once.
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 4] =
        [Self::TooOld, Self::Unknown, Self::OtherEpoch, Self::AheadOfHead];

    /// Returns the reason as the data of a `reset` has it: `too-old`, `unknown`, `other-epoch` or `ahead-of-head`.
    ///
    /// ```
    /// assert_eq!(sse_core::GapReason::TooOld.as_str(), "too-old");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::Unknown => "unknown",
            Self::OtherEpoch => "other-epoch",
            Self::AheadOfHead => "ahead-of-head",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Gap {
    /// Returns a gap of which only the reason is known.
    pub(crate) fn unlocated(reason: GapReason) -> Self {
        Self { reason, oldest: None, newest: None, log: None, restart: None }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            GapReason::TooOld => "the id is too old: events after it are no longer kept",
            GapReason::Unknown => "the id is invalid: no log could have given it",
            GapReason::OtherEpoch => {
                "the id is from another log, or from another epoch of this one"
            }
            GapReason::AheadOfHead => "the id is newer than the newest event",
        })
    }
}
