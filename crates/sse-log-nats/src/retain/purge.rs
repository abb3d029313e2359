//! The removal of dropped events, and of outdated notes.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sse_core::Position;
use sse_core::store::StoreError;

use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::jetstream::Info;
use crate::message::Kind;

/// Number of notes in one fetch.
const AT_A_TIME: u64 = 1000;
/// Extra time for which a note is kept, since the servers of a cluster may differ.
const MARGIN: Duration = Duration::from_secs(60);

/// Removes the messages up to the floor, except notes on idempotency keys: a note may be older than its event, and
/// a server that restarts forgets the ids of messages that it no longer has.
pub(crate) async fn purge(core: &LogCore, info: &Info, floor: Position) -> Result<(), StoreError> {
    if floor.hi() == 0 {
        // A purge up to no message would purge all.
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

/// Removes the notes on keys that the server has forgotten. The server goes by its own clock, which also gives the times of messages.
pub(crate) async fn forget_old_notes(core: &LogCore, info: &Info) -> Result<(), StoreError> {
    if info.is_finished() {
        // No more notes come.
        return Ok(());
    }
    let before_newest = info.state.last_seq.saturating_sub(1);
    let consumer = Consumer::after(core, before_newest, Content::Headers).await?;
    let newest = consumer.take(1, None).await?;
    // If the newest message was deleted, the notes wait for the next message.
    let Some(newest) = newest.first() else { return Ok(()) };
    let window =
        info.config["duplicate_window"].as_u64().map_or(Duration::ZERO, Duration::from_nanos);
    let before = Duration::from_nanos(newest.message.time).saturating_sub(window + MARGIN);
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

/// Returns the first note that may still be needed, or the end, if there are older notes.
async fn first_note_since(core: &LogCore, time: Duration) -> Result<Option<u64>, StoreError> {
    let content = Content::HeadersOf(core.names.note());
    let mut consumer = Consumer::after(core, 0, content).await?;
    let mut after_old = None;
    loop {
        let notes = consumer.fetch(AT_A_TIME, None).await?;
        let is_end = notes.last().is_none_or(|note| note.pending == 0);
        for note in notes {
            if Duration::from_nanos(note.message.time) >= time {
                return Ok(after_old);
            }
            after_old = Some(note.message.sequence + 1);
        }
        if is_end {
            return Ok(after_old);
        }
    }
}
