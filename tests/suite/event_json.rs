//! Events as JSON, as the vectors and the two programs have them.

use std::time::Duration;

use serde::Deserialize;
use sse_core::{Event, EventId, EventType};

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
    let json: EventJson =
        serde_json::from_str(json).map_err(|error| format!("not an event: {error}"))?;
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
