//! Lookups of single messages in the stream of a log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sse_core::store::StoreError;

use crate::clock;
use crate::core::LogCore;
use crate::error::code;
use crate::jetstream::{GetAnswer, StoredMessage};
use crate::message::{Kind, Message};
use crate::topics::header;

/// Returns the message of this sequence, if there is one.
pub(crate) async fn get(core: &LogCore, sequence: u64) -> Result<Option<Message>, StoreError> {
    request_message(core, json!({ "seq": sequence })).await
}

/// Returns the first message from this sequence on, of any kind. It comes from the stream itself, not from a consumer.
pub(crate) async fn next(core: &LogCore, sequence: u64) -> Result<Option<Message>, StoreError> {
    next_on(core, sequence, &core.names.all()).await
}

/// Returns the first message from this sequence on that is on this subject, which may have a wildcard.
pub(crate) async fn next_on(
    core: &LogCore,
    sequence: u64,
    subject: &str,
) -> Result<Option<Message>, StoreError> {
    request_message(core, json!({ "seq": sequence, "next_by_subj": subject })).await
}

/// Returns the message of this sequence if it is a note. Other messages are not fetched.
pub(crate) async fn note_at(core: &LogCore, sequence: u64) -> Result<Option<Message>, StoreError> {
    let note = next_on(core, sequence, &core.names.note()).await?;
    Ok(note.filter(|note| note.sequence == sequence))
}

/// Returns the first message from this sequence on that is on the subject of an event.
pub(crate) async fn next_event(
    core: &LogCore,
    sequence: u64,
) -> Result<Option<Message>, StoreError> {
    match next(core, sequence).await? {
        Some(message) if Kind::of(&message.subject, &core.names).events() == 0 => {}
        found => return Ok(found),
    }
    let found =
        on_event_subjects(core, |subject| json!({ "seq": sequence, "next_by_subj": subject }));
    Ok(found.await?.min_by_key(|message| message.sequence))
}

/// Returns the last message that is on the subject of an event.
pub(crate) async fn last_event(core: &LogCore) -> Result<Option<Message>, StoreError> {
    let found = on_event_subjects(core, |subject| json!({ "last_by_subj": subject }));
    Ok(found.await?.max_by_key(|message| message.sequence))
}

/// Returns the message of the newest event of this key.
pub(crate) async fn last_of_key(core: &LogCore, key: &str) -> Result<Option<Message>, StoreError> {
    request_message(core, json!({ "last_by_subj": core.names.keyed(key) })).await
}

/// Returns what it finds on each subject of events: the server looks up one subject at a time.
async fn on_event_subjects(
    core: &LogCore,
    request: impl Fn(String) -> Value,
) -> Result<impl Iterator<Item = Message>, StoreError> {
    let requests = core.names.events().map(|subject| request_message(core, request(subject)));
    Ok(try_join_all(requests).await?.into_iter().flatten())
}

async fn request_message(core: &LogCore, request: Value) -> Result<Option<Message>, StoreError> {
    let subject = format!("STREAM.MSG.GET.{}", core.names.stream);
    let got: GetAnswer = match core.requests.fetch(&subject, &request).await {
        Err(failure) if failure.is(code::NO_MESSAGE) || failure.is(code::NO_STREAM) => {
            return Ok(None);
        }
        got => got?,
    };
    let payload = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?.into();
    let headers = STANDARD.decode(&got.message.hdrs).map_err(StoreError::failed)?;
    let topics = header::find(&headers);
    let StoredMessage { seq: sequence, subject, time, .. } = got.message;
    let time = clock::parse(&time).unwrap_or_default().as_nanos() as u64;
    Ok(Some(Message { sequence, subject, payload, time, topics }))
}
