//! The format of Anthropic: `POST /v1/messages`, with `"stream": true`. Each event's type is also in its data.

use serde_json::{Value, json};
use sse_axum::{Error, Event, EventType};

use crate::shape::{Ending, Shape};

pub(crate) struct Anthropic;

impl Shape for Anthropic {
    const PREFIX: &'static str = "msg_";

    fn begin(id: &str) -> Result<Vec<Event>, Error> {
        let message = json!({
            "id": id,
            "type": "message",
            "role": "assistant",
            "model": "stand-in",
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": { "input_tokens": 0, "output_tokens": 0 },
        });
        let block = json!({ "type": "text", "text": "" });
        Ok(vec![
            event("message_start", json!({ "message": message }))?,
            event("content_block_start", json!({ "index": 0, "content_block": block }))?,
        ])
    }

    fn word(_: &str, word: &str) -> Result<Event, Error> {
        let delta = json!({ "type": "text_delta", "text": word });
        event("content_block_delta", json!({ "index": 0, "delta": delta }))
    }

    fn end(_: &str, ending: Ending, words: usize) -> Result<Vec<Event>, Error> {
        let reason = match ending {
            Ending::Said => "end_turn",
            Ending::Limit => "max_tokens",
        };
        let delta = json!({ "stop_reason": reason, "stop_sequence": null });
        let usage = json!({ "output_tokens": words });
        Ok(vec![
            event("content_block_stop", json!({ "index": 0 }))?,
            event("message_delta", json!({ "delta": delta, "usage": usage }))?,
            event("message_stop", json!({}))?,
        ])
    }

    fn failure(message: &str) -> Result<Event, Error> {
        let error = json!({ "type": "api_error", "message": message });
        let event = Event::json(&json!({ "type": "error", "error": error }))?;
        Ok(event.event_type(EventType::ERROR))
    }

    fn refusal(message: &str) -> Value {
        let error = json!({ "type": "invalid_request_error", "message": message });
        json!({ "type": "error", "error": error })
    }
}

fn event(name: &'static str, mut data: Value) -> Result<Event, Error> {
    data["type"] = name.into();
    Ok(Event::json(&data)?.event_type(EventType::from_static(name)))
}
