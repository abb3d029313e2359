//! What is said to JetStream, and what it answers: as much of it as a log needs.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A message was stored, or was known.
#[derive(Debug, Deserialize)]
pub(crate) struct Ack {
    #[serde(default)]
    pub(crate) stream: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) duplicate: bool,
}

impl Ack {
    /// Whether one of this id is known, and not yet stored: so say older servers of a cluster, where newer ones refuse.
    pub(crate) fn is_in_process(&self) -> bool {
        self.duplicate && self.seq == 0
    }
}

/// A question about a stream.
#[derive(Debug, Serialize)]
pub(crate) struct InfoQuestion {
    /// Of which subjects to count the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subjects_filter: Option<String>,
}

/// A stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Info {
    pub(crate) config: serde_json::Value,
    pub(crate) created: String,
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) cluster: Option<Cluster>,
    /// When the server has answered, by its clock.
    #[serde(default)]
    pub(crate) ts: Option<String>,
}

/// The servers that have a stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cluster {
    #[serde(default)]
    pub(crate) leader: Option<String>,
}

/// What a stream holds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct State {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// How many messages there are of each subject that was asked for.
    #[serde(default)]
    pub(crate) subjects: Option<HashMap<String, u64>>,
}

/// How a stream is to be.
#[derive(Debug, Serialize)]
pub(crate) struct StreamConfig<'a> {
    pub(crate) name: &'a str,
    pub(crate) subjects: [&'a str; 1],
    pub(crate) description: &'a str,
    pub(crate) retention: &'a str,
    pub(crate) discard: &'a str,
    pub(crate) storage: &'a str,
    pub(crate) num_replicas: usize,
    pub(crate) max_msgs_per_subject: i64,
    pub(crate) allow_rollup_hdrs: bool,
    /// In nanoseconds.
    pub(crate) duplicate_window: u64,
}

/// Nanoseconds, as JetStream counts time.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) as u64
}

/// A message, as it is asked for by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Got {
    pub(crate) message: GotMessage,
}

/// A message of the API: its payload is base64.
#[derive(Debug, Deserialize)]
pub(crate) struct GotMessage {
    pub(crate) subject: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) data: String,
}
