//! Real clients of other people's making, each a `run(url, received)` that collects events until one of
//! type `done` arrives.
//!
//! Two are Rust crates and run in the process; the others are programs beside this file, which print an event a
//! line. They are used as their documentation says, and reconnect on their own, except httpx-sse, which
//! leaves that to its user. `tests/run` installs what they need. [`sdk`] has others, which read an answer of a language model.

pub mod eventsource;
pub mod eventsource_client;
pub mod httpx_sse;
pub mod reqwest_eventsource;
pub mod sdk;
pub mod undici;

pub(crate) use self::program::directory;

mod program;

use serde::Deserialize;

/// An event as a client hands it to its user.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Received {
    /// The event's type: `message` where the server named none.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The data, its lines joined by LF.
    pub data: String,
    /// The last event id as of this event.
    pub id: String,
}

impl Received {
    /// Tells whether the server has said that nothing follows: by an event of the type `done`, or `datastar-done`.
    pub fn is_done(&self) -> bool {
        self.event_type.ends_with("done")
    }
}
