use bytes::Bytes;
use redis::{Cmd, Pipeline, Value, cmd, from_redis_value, pipe};
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, StoreError, StoredEvent};

use crate::bounds::{State, cursor, id};
use crate::request::Request;
use crate::store::Shared;

pub(crate) async fn read(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let mut from = after;
    loop {
        let pipeline = pipeline(shared, from, limit)?;
        let request = Request::Pipeline(&pipeline, &shared.scripts.bounds);
        let answer = shared.connections.call(request).await?;
        let read = take(shared, answer, limit)?;
        match read.skipped_to {
            Some(last) => from = last,
            None => return Ok(Page { bounds: read.bounds, events: read.events }),
        }
    }
}

/// What a page came with.
pub(crate) struct Read {
    pub(crate) bounds: Bounds,
    pub(crate) events: Vec<StoredEvent>,
    /// The newest of the changes.
    pub(crate) changes: String,
    /// The last of the entries, where none of them is an event of ours.
    pub(crate) skipped_to: Option<Cursor>,
}

/// What Redis answers to `pipeline`.
pub(crate) type Answer = (Vec<(String, Vec<Value>)>, State);

/// The entries after a position, and then the bounds.
///
/// A script that read both would take six times as long, and a transaction is refused where memory is full.
pub(crate) fn pipeline(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> Result<Pipeline, StoreError> {
    // There is nothing after the last position, and Redis would say so by an error.
    let after = after.min(Cursor::MAX.previous());
    let mut range = cmd("XRANGE");
    range.arg(&shared.keys.stream).arg(format!("({}", id(after))).arg("+");
    range.arg("COUNT").arg(shared.sizes.count(limit));
    let mut pipeline = pipe();
    pipeline.add_command(range).add_command(bounds(shared)?);
    Ok(pipeline)
}

fn bounds(shared: &Shared) -> Result<Cmd, StoreError> {
    let keys = &shared.keys;
    let mut bounds = cmd("EVALSHA");
    bounds.arg(shared.scripts.bounds.get_hash()).arg(4);
    bounds.arg(&keys.stream).arg(&keys.meta).arg(&keys.newest_of_key).arg(&keys.changes);
    bounds.arg(sse_core::Epoch::random()?.as_str());
    Ok(bounds)
}

/// Reads an answer, as much of it as the limit allows.
pub(crate) fn take(
    shared: &Shared,
    (entries, state): Answer,
    limit: PageLimit,
) -> Result<Read, StoreError> {
    let mut events = Vec::with_capacity(entries.len());
    let (mut count, mut bytes, mut last) = (0, 0, None);
    for (id, fields) in entries {
        let at = cursor(&id)?;
        last = Some(at);
        let Some(event) = event(at, fields)? else { continue };
        (count, bytes) = (count + 1, bytes + event.block.len());
        if !events.is_empty() && bytes > limit.bytes {
            break;
        }
        events.push(event);
    }
    shared.sizes.learn(count, bytes, state.largest);
    let skipped_to = last.filter(|_| events.is_empty());
    Ok(Read { bounds: state.bounds()?, events, skipped_to, changes: state.changes })
}

/// The event that an entry is, unless it is somebody else's.
fn event(cursor: Cursor, fields: Vec<Value>) -> Result<Option<StoredEvent>, StoreError> {
    let (mut block, mut key) = (None, None);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match &name {
            Value::BulkString(name) if name == b"b" => block = Some(value),
            Value::BulkString(name) if name == b"k" => key = Some(value),
            _ => {}
        }
    }
    let Some(block) = block else { return Ok(None) };
    let block: Vec<u8> = from_redis_value(block).map_err(StoreError::failed)?;
    // Ours have a key that is a text.
    let Ok(key) = key.map(from_redis_value::<String>).transpose() else { return Ok(None) };
    Ok(Some(StoredEvent { cursor, block: Bytes::from(block), key: key.map(Into::into) }))
}

pub(crate) async fn before_last(shared: &Shared, limit: PageLimit) -> Result<Cursor, StoreError> {
    let mut script = shared.invoke(&shared.scripts.before_last)?;
    script.arg(limit.events).arg(limit.bytes);
    let (state, oldest): (State, String) = shared.connections.call(&script).await?;
    let bounds = state.bounds()?;
    match oldest.is_empty() {
        true if limit.events == 0 => Ok(bounds.newest),
        true => Ok(bounds.floor),
        false => Ok(cursor(&oldest)?.previous().max(bounds.floor)),
    }
}
