use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::EventId;

mod reset;

/// Why a client cannot resume exactly where it was, and what there is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// What is wrong with the client's last event ID.
    pub reason: GapReason,
    /// The oldest event that is still there; `None` where there is none, or where a [`Source`](crate::Source) told of the gap.
    pub oldest: Option<EventId>,
    /// The newest event; `None` as for `oldest`.
    pub newest: Option<EventId>,
    /// Which log it is in, in a [`merge`](crate::merge) of several.
    pub log: Option<Arc<str>>,
    /// The position just before the oldest event: resuming from it gives all that there is.
    pub(crate) restart: Option<EventId>,
}

/// What is wrong with a client's last event ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapReason {
    /// Events after it are no longer kept.
    TooOld,
    /// It is no id that could have been given.
    Unknown,
    /// It was given by another life of the log: the log has been created anew since.
    OtherEpoch,
    /// It is newer than the newest event: the log has lost events since.
    AheadOfHead,
}

impl GapReason {
    /// The reason as it stands in the data of a `reset`: `too-old`, `unknown`, `other-epoch` or `ahead-of-head`.
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
    /// A gap about which no more than this is known.
    pub(crate) fn unlocated(reason: GapReason) -> Self {
        Self { reason, oldest: None, newest: None, log: None, restart: None }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            GapReason::TooOld => "the id is too old: events after it are no longer kept",
            GapReason::Unknown => "the id is none that could have been given",
            GapReason::OtherEpoch => "the id is from another log, or from another life of this one",
            GapReason::AheadOfHead => "the id is newer than the newest event",
        })
    }
}
