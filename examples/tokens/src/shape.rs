//! The part that depends on a provider's format: the events of an answer, and the form of an error.

use serde_json::Value;
use sse_axum::{Error, Event};

pub(crate) trait Shape: 'static {
    /// The start of each answer's id; the key follows. So one key names an answer of its own in each shape.
    const PREFIX: &'static str;

    /// The events before the first word.
    fn begin(id: &str) -> Result<Vec<Event>, Error>;

    /// The event of one word.
    fn word(id: &str, word: &str) -> Result<Event, Error>;

    /// The events that say that the answer is whole. Without them it is not.
    fn end(id: &str, ending: Ending, words: usize) -> Result<Vec<Event>, Error>;

    /// The event that says that the answer will not be whole. The SDKs raise an error when they read it.
    fn failure(message: &str) -> Result<Event, Error>;

    /// The body of a 4xx.
    fn refusal(message: &str) -> Value;
}

/// The reason why an answer ends here.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    /// Nothing is left to say.
    Said,
    /// The request's `max_tokens`.
    Limit,
}
