//! One message, by itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sse_core::store::StoreError;

use crate::core::Shared;
use crate::error::code;
use crate::jetstream::Got;
use crate::message::{Kind, Message};

/// The message of this sequence, if it is there.
pub(crate) async fn get(shared: &Shared, sequence: u64) -> Result<Option<Message>, StoreError> {
    ask(shared, json!({ "seq": sequence })).await
}

/// The first message from this sequence on, whatever it is. It is looked up in the stream itself, by no consumer.
pub(crate) async fn next(shared: &Shared, sequence: u64) -> Result<Option<Message>, StoreError> {
    ask(shared, json!({ "seq": sequence, "next_by_subj": shared.names.all() })).await
}

/// What the message of this sequence says if it is a note. Others are not fetched.
pub(crate) async fn note_at(shared: &Shared, sequence: u64) -> Result<Option<Message>, StoreError> {
    let question = json!({ "seq": sequence, "next_by_subj": shared.names.note() });
    Ok(ask(shared, question).await?.filter(|note| note.sequence == sequence))
}

/// The first message from this sequence on that is on the subject of an event.
pub(crate) async fn next_event(
    shared: &Shared,
    sequence: u64,
) -> Result<Option<Message>, StoreError> {
    match next(shared, sequence).await? {
        Some(message) if Kind::of(&message.subject, &shared.names).events() == 0 => {}
        found => return Ok(found),
    }
    let found = of_events(shared, |subject| json!({ "seq": sequence, "next_by_subj": subject }));
    Ok(found.await?.min_by_key(|message| message.sequence))
}

/// The last message that is on the subject of an event.
pub(crate) async fn last_event(shared: &Shared) -> Result<Option<Message>, StoreError> {
    let found = of_events(shared, |subject| json!({ "last_by_subj": subject }));
    Ok(found.await?.max_by_key(|message| message.sequence))
}

/// What is found on each of the subjects of events: the server looks up one at a time.
async fn of_events(
    shared: &Shared,
    question: impl Fn(String) -> Value,
) -> Result<impl Iterator<Item = Message>, StoreError> {
    let questions = shared.names.events().map(|subject| ask(shared, question(subject)));
    Ok(try_join_all(questions).await?.into_iter().flatten())
}

async fn ask(shared: &Shared, question: Value) -> Result<Option<Message>, StoreError> {
    let subject = format!("STREAM.MSG.GET.{}", shared.names.stream);
    let got: Got = match shared.connection.fetch(&subject, &question).await {
        Err(failure) if failure.is(code::NO_MESSAGE) || failure.is(code::NO_STREAM) => {
            return Ok(None);
        }
        got => got?,
    };
    let payload = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?.into();
    let Got { message } = got;
    Ok(Some(Message { sequence: message.seq, subject: message.subject, payload }))
}
