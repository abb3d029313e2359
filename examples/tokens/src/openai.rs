//! The format of OpenAI: `POST /v1/chat/completions`, with `"stream": true`.

use serde_json::{Value, json};
use sse_axum::{Error, Event};

use crate::shape::{Ending, Shape};

pub(crate) struct OpenAi;

impl Shape for OpenAi {
    const PREFIX: &'static str = "chatcmpl-";

    fn begin(id: &str) -> Result<Vec<Event>, Error> {
        Ok(vec![chunk(id, json!({ "role": "assistant", "content": "" }), None)?])
    }

    fn word(id: &str, word: &str) -> Result<Event, Error> {
        chunk(id, json!({ "content": word }), None)
    }

    fn end(id: &str, ending: Ending, _: usize) -> Result<Vec<Event>, Error> {
        let reason = match ending {
            Ending::Said => "stop",
            Ending::Limit => "length",
        };
        Ok(vec![chunk(id, json!({}), Some(reason))?, Event::new("[DONE]")])
    }

    fn failure(message: &str) -> Result<Event, Error> {
        Event::json(&error("server_error", message))
    }

    fn refusal(message: &str) -> Value {
        error("invalid_request_error", message)
    }
}

fn chunk(id: &str, delta: Value, finish_reason: Option<&str>) -> Result<Event, Error> {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    Event::json(&json!({
        "id": id,
        "object": "chat.completion.chunk",
        "created": 0, // a stand-in has no clock
        "model": "stand-in",
        "choices": [choice],
    }))
}

fn error(kind: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
}
