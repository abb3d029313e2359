//! Events as JSON, as the vectors and the two programs have them.

use std::time::Duration;

use serde::Deserialize;
use sse_core::{Event, EventId, EventType, NewEvent};

/// An event as JSON: whatever is not a valid field is refused with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventJson {
    data: Option<Data>,
    /// Texts and how often each is repeated: one long text, written short.
    data_parts: Option<Vec<(String, usize)>>,
    event: Option<String>,
    id: Option<String>,
    retry: Option<serde_json::Value>,
    retry_micros: Option<u64>,
    comment: Option<String>,
    comment_parts: Option<Vec<(String, usize)>>,
    /// What an event has beside its block, if it is appended.
    #[serde(default)]
    topics: Vec<String>,
    key: Option<String>,
    #[serde(rename = "idempotencyKey")]
    idempotency_key: Option<String>,
}

/// The longest text that parts may make, in bytes: a line of input must not exhaust the machine.
const LONGEST_TEXT: usize = 64 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "data is a text or a list of texts")]
enum Data {
    Text(String),
    Pieces(Vec<String>),
}

/// Reads an event from JSON, or says what is wrong with it.
///
/// # Errors
///
/// The reason, as a sentence.
pub fn parse(json: &str) -> Result<Event, String> {
    let json = read(json)?;
    if !json.topics.is_empty() || json.key.is_some() || json.idempotency_key.is_some() {
        return Err("topics and keys are not written to the wire".into());
    }
    event(json)
}

/// Reads an event to append from JSON, with its topics and keys, or says what is wrong with it.
///
/// # Errors
///
/// The reason, as a sentence.
pub fn parse_new(json: &str) -> Result<NewEvent, String> {
    let mut json = read(json)?;
    let (topics, key) = (std::mem::take(&mut json.topics), json.key.take());
    let idempotency_key = json.idempotency_key.take();
    let reason = |error: sse_core::Error| error.to_string();
    let mut new = NewEvent::from(event(json)?);
    for topic in topics {
        new = new.topic(topic).map_err(reason)?;
    }
    if let Some(key) = key {
        new = new.key(&key).map_err(reason)?;
    }
    match idempotency_key {
        Some(key) => new.idempotency_key(&key).map_err(reason),
        None => Ok(new),
    }
}

fn read(json: &str) -> Result<EventJson, String> {
    serde_json::from_str(json).map_err(|error| format!("not an event: {error}"))
}

fn event(json: EventJson) -> Result<Event, String> {
    let event = match (json.data, json.data_parts) {
        (None, None) => Event::default(),
        (None, Some(parts)) => Event::new(joined(&parts)?),
        (Some(Data::Text(text)), None) => Event::new(text),
        (Some(Data::Pieces(pieces)), None) => Event::from_pieces(pieces),
        (Some(_), Some(_)) => return Err("data is there twice".into()),
    };
    let comment = json.comment_parts.as_deref().map(joined).transpose()?.or(json.comment);
    let event_type =
        json.event.map(EventType::try_from).transpose().map_err(|error| error.to_string())?;
    let id = json.id.map(EventId::try_from).transpose().map_err(|error| error.to_string())?;
    let retry = json
        .retry
        .as_ref()
        .map(millis)
        .transpose()?
        .or(json.retry_micros.map(Duration::from_micros));
    Ok(Event { event_type, id, retry, comment, ..event })
}

fn joined(parts: &[(String, usize)]) -> Result<String, String> {
    let lengths = parts.iter().map(|(text, count)| text.len().saturating_mul(*count));
    if lengths.fold(0, usize::saturating_add) > LONGEST_TEXT {
        return Err(format!("the parts make more than {LONGEST_TEXT} bytes"));
    }
    Ok(parts.iter().map(|(text, count)| text.repeat(*count)).collect())
}

fn millis(retry: &serde_json::Value) -> Result<Duration, String> {
    retry.as_u64().map(Duration::from_millis).filter(|retry| *retry <= Event::MAX_RETRY).ok_or_else(
        || {
            format!(
                "invalid retry: a whole number of milliseconds from 0 to {}",
                Event::MAX_RETRY.as_millis()
            )
        },
    )
}
