//! The requests to JetStream's API and its answers, as far as a log needs them.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sse_core::Position;

/// The `max_msg_size` of a stream while its log is being finished: it refuses every event, in the order of the messages, for good.
/// Unlike a sealed stream it still drops old events and deletes events. Once no event can come it takes requests about ids, on their own subject.
pub(crate) const FINISHING: i64 = 1;
pub(crate) const FINISHED: i64 = 4097;
/// The answer to a publication: the message was stored, or was known.
#[derive(Debug, Deserialize)]
pub(crate) struct Ack {
    #[serde(default)]
    pub(crate) stream: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) duplicate: bool,
}

impl Ack {
    /// Returns true if a message of this id is known but not yet stored. Older servers of a cluster answer so; newer ones refuse.
    pub(crate) fn is_in_process(&self) -> bool {
        self.duplicate && self.seq == 0
    }
}

/// A request for the state of a stream.
#[derive(Debug, Serialize)]
pub(crate) struct InfoRequest {
    /// The subjects of which to count the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subjects_filter: Option<String>,
}

/// The configuration and the state of a stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Info {
    pub(crate) config: serde_json::Value,
    pub(crate) created: String,
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) cluster: Option<Cluster>,
    /// The time of the answer, by the clock of the server.
    #[serde(default)]
    pub(crate) ts: Option<String>,
}

impl Info {
    /// Returns the position before the first message.
    pub(crate) fn before_first(&self) -> Position {
        Position::new(self.state.first_seq.saturating_sub(1), 0)
    }

    pub(crate) fn newest(&self) -> Position {
        Position::new(self.state.last_seq, 0)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.is_closed() || self.config["max_msg_size"] == FINISHING
    }

    /// Returns true if no event that was on its way can come any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.config["max_msg_size"] == FINISHED
    }

    /// Returns true if the server drops events by limits of the stream. It does not say which, but they are the oldest.
    pub(crate) fn has_limits(&self) -> bool {
        ["max_msgs", "max_bytes", "max_age"].into_iter().any(|limit| self.is_set(limit))
    }

    pub(crate) fn is_set(&self, limit: &str) -> bool {
        self.config[limit].as_i64().is_some_and(|limit| limit > 0)
    }
}

/// The servers that have a stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cluster {
    #[serde(default)]
    pub(crate) leader: Option<String>,
}

/// The content of a stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct State {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// Number of messages of each requested subject.
    #[serde(default)]
    pub(crate) subjects: Option<HashMap<String, u64>>,
}

/// The configuration of a new stream.
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
    /// Time for which ids are known, in nanoseconds.
    pub(crate) duplicate_window: u64,
}

/// Returns nanoseconds, the unit of JetStream.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) as u64
}

/// The answer to a request for one message.
#[derive(Debug, Deserialize)]
pub(crate) struct GetAnswer {
    pub(crate) message: StoredMessage,
}

/// A message of the API. Its payload is base64.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredMessage {
    pub(crate) subject: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) data: String,
    /// Its headers, as base64.
    #[serde(default)]
    pub(crate) hdrs: String,
    #[serde(default)]
    pub(crate) time: String,
}
