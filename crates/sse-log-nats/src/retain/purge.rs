//! Removing what the log has let go of.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sse_core::Cursor;
use sse_core::store::StoreError;

use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::jetstream::Info;
use crate::message::Kind;

/// How many notes are looked at a time.
const AT_A_TIME: u64 = 1000;
/// How much longer a note is kept, since the servers of a cluster may differ.
const FOR_SURE: Duration = Duration::from_secs(60);

/// Removes the messages up to the floor, apart from notes on idempotency keys, since those may be older than the events that they are of:
/// the server forgets, when it starts anew, the ids of messages that it has not.
pub(crate) async fn purge(core: &LogCore, info: &Info, floor: Cursor) -> Result<(), StoreError> {
    if floor.hi() == 0 {
        // A purge up to no message would be one of all.
        return Ok(());
    }
    let sequence = floor.hi() + 1;
    let is_note = |subject: &str| Kind::of(subject, &core.names) == Kind::Note;
    if !info.state.subjects.iter().flatten().any(|(subject, _)| is_note(subject)) {
        return remove(core, json!({ "seq": sequence })).await;
    }
    let subjects = core.names.events();
    let purges = subjects.map(|filter| remove(core, json!({ "filter": filter, "seq": sequence })));
    try_join_all(purges).await?;
    forget_old_notes(core, info).await
}

/// Removes the notes on keys that the server has forgotten. It goes by its own clock, and so is the time of a message.
pub(crate) async fn forget_old_notes(core: &LogCore, info: &Info) -> Result<(), StoreError> {
    if info.is_finished() {
        // No more come.
        return Ok(());
    }
    let before_newest = info.state.last_seq.saturating_sub(1);
    let consumer = Consumer::after(core, before_newest, Content::Headers).await?;
    let newest = consumer.take(1, None).await?;
    // Where the newest message was deleted they wait for the next.
    let Some(newest) = newest.first() else { return Ok(()) };
    let window =
        info.config["duplicate_window"].as_u64().map_or(Duration::ZERO, Duration::from_nanos);
    let before = Duration::from_nanos(newest.time).saturating_sub(window + FOR_SURE);
    if let Some(first) = first_note_since(core, before).await? {
        remove(core, json!({ "filter": core.names.note(), "seq": first })).await?;
    }
    Ok(())
}

async fn remove(core: &LogCore, what: Value) -> Result<(), StoreError> {
    let subject = format!("STREAM.PURGE.{}", core.names.stream);
    core.requests.api::<Value>(&subject, &what).await?;
    Ok(())
}

/// The first note that may be needed yet, or the end, if there are older ones.
async fn first_note_since(core: &LogCore, time: Duration) -> Result<Option<u64>, StoreError> {
    let content = Content::HeadersOf(core.names.note());
    let mut consumer = Consumer::after(core, 0, content).await?;
    let mut after_old = None;
    loop {
        let notes = consumer.fetch(AT_A_TIME, None).await?;
        let is_end = notes.last().is_none_or(|note| note.pending == 0);
        for note in notes {
            if Duration::from_nanos(note.time) >= time {
                return Ok(after_old);
            }
            after_old = Some(note.message.sequence + 1);
        }
        if is_end {
            return Ok(after_old);
        }
    }
}
