//! The body of a request, as far as both providers have the same.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Question {
    messages: Vec<Message>,
    /// Neither provider streams unless it is asked to.
    #[serde(default)]
    pub(crate) stream: bool,
    #[serde(default, alias = "max_completion_tokens")]
    pub(crate) max_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A text, or something that the stand-in does not look at, as an image.
#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl Question {
    /// The text of the last message.
    pub(crate) fn prompt(&self) -> String {
        match self.messages.last().and_then(|message| message.content.as_ref()) {
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().map(|part| part.text.as_str()).collect(),
            None => String::new(),
        }
    }
}
