use std::fmt;

use crate::boxed::BoxError;
use crate::field::InvalidField;
use crate::gap::Gap;
use crate::store::error::StoreError;
use crate::topic::InvalidTopic;

/// What has failed.
pub(super) enum Kind {
    Json(serde_json::Error),
    InvalidEvent(&'static str),
    InvalidField(InvalidField),
    InvalidTopic(InvalidTopic),
    TopicsUnsupported,
    /// Of the store with this label, or of a log in memory.
    TimesUnsupported(Option<StoreLabel>),
    TooLarge {
        size: usize,
        limit: usize,
    },
    InvalidMerge(String),
    Finished,
    Gap(Gap),
    Source {
        during: &'static str,
        error: BoxError,
    },
    Overflow {
        events: usize,
        bytes: usize,
    },
    Store {
        of: StoreLabel,
        during: &'static str,
        error: StoreError,
        may_have_happened: bool,
    },
    QueueFull {
        events: usize,
        bytes: usize,
    },
    NoRandomness(getrandom::Error),
}

/// The name of a log and the address of its store, as they stand in the text of an error.
#[derive(Default)]
pub(crate) struct StoreLabel(String);

impl StoreLabel {
    pub(crate) fn new(log: &str, address: &str) -> Self {
        Self(match address {
            "" => format!(" `{log}`"),
            address => format!(" `{log}` at {address}"),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
