use serde_json::{Value, json};

/// The first message of a consumer.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// The message after this sequence.
    After(u64),
    /// The oldest message that was stored at this time, a timestamp of the API, or later.
    Since(String),
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
                config["opt_start_time"] = json!(time);
            }
        }
    }
}
