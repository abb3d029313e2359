use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;

/// The first message of a consumer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// The message after this sequence.
    After(u64),
    /// The oldest message that was stored at this time since 1970, or later.
    Since(Duration),
}

impl Begin {
    /// Adds it to the configuration of a consumer.
    pub(crate) fn configure(self, config: &mut Value) {
        match self {
            Self::After(sequence) => {
                config["deliver_policy"] = json!("by_start_sequence");
                config["opt_start_seq"] = json!(sequence.saturating_add(1));
            }
            Self::Since(time) => {
                config["deliver_policy"] = json!("by_start_time");
                config["opt_start_time"] = json!(clock::format(time));
            }
        }
    }
}
