//! The topics of `/events` and `/publish`: `?topic=a&topic=b`.

use std::collections::BTreeMap;

use sse_conformance::suite::app::{Answer, Call};
use sse_core::{Event, EventLog, NewEvent, StreamOptions};

use crate::routes::start_of;

/// Returns the stream of the topics in the query, or of all events if it has none.
pub(crate) fn stream(log: &EventLog, options: &StreamOptions, call: &Call) -> Answer {
    let topics = parameters(call, "topic");
    let feed = match topics.is_empty() {
        true => Ok(log.feed()),
        false => log.topics(topics),
    };
    match feed {
        Ok(feed) => Answer::Stream(feed.with(options).start_at(start_of(call)).into()),
        Err(error) => Answer::Text(422, error.to_string()),
    }
}

/// Returns the event that was posted, with the topics in the query.
pub(crate) fn posted(call: Call) -> Result<NewEvent, String> {
    let topics = parameters(&call, "topic");
    let event = NewEvent::from(Event::new(call.body));
    let event = topics.into_iter().try_fold(event, |event, topic| event.topic(topic));
    event.map_err(|error| error.to_string())
}

/// Deletes the event whose id the query has.
pub(crate) async fn deleted(log: EventLog, call: Call) -> Answer {
    let no_such_id = || Answer::Text(404, "there is no event of this id\n".into());
    let id = parameters(&call, "id").into_iter().next().and_then(|id| id.parse().ok());
    let Some(id) = id else { return no_such_id() };
    let deleted = async {
        log.get(&id).await?;
        log.delete(&id).await
    };
    match deleted.await {
        Ok(()) => Answer::Text(204, String::new()),
        Err(error) if error.is_gap() => no_such_id(),
        Err(error) => Answer::Text(500, error.to_string()),
    }
}

/// Returns how many streams and events each topic has.
pub(crate) fn counted(log: &EventLog) -> Answer {
    let topics = log.topic_stats().into_iter().map(|(topic, stats)| {
        let counts = serde_json::json!({ "streams": stats.open_streams, "events": stats.events });
        (topic.to_string(), counts)
    });
    let topics: BTreeMap<_, _> = topics.collect();
    Answer::Text(200, serde_json::json!(topics).to_string())
}

/// Returns the values that a parameter has in the query.
fn parameters(call: &Call, name: &str) -> Vec<String> {
    let query = call.query.as_deref().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    pairs.map(|(_, value)| value.into_owned()).collect()
}
