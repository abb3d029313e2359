use std::sync::Arc;

use bytes::Bytes;
use redis::{Pipeline, Value, cmd, from_redis_value, pipe};
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, StoreError, StoredEvent};

use crate::bounds::{State, cursor, id};
use crate::server::Lane;
use crate::store::Shared;

/// The next events, of which there is at least one if there is any.
pub(crate) async fn read(
    shared: &Arc<Shared>,
    after: Cursor,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let mut from = after;
    loop {
        let (answer, asked, took) = shared.coming.page(shared, from, limit).await?;
        let read = take(answer, limit)?;
        shared.pace.came(asked, read.size, took);
        shared.pace.learn(&read.state);
        match read.skipped_to {
            Some(last) => from = last,
            None => return Ok(Page { bounds: read.bounds, events: read.events }),
        }
    }
}

/// What a page came with.
struct Read {
    bounds: Bounds,
    state: State,
    events: Vec<StoredEvent>,
    /// How many events have come, and of how many bytes: maybe more than the limit allows.
    size: (usize, usize),
    /// The last of the entries, where none of them is an event of ours.
    skipped_to: Option<Cursor>,
}

/// What Redis answers to `pipeline`.
pub(crate) type Answer = (Vec<(String, Vec<Value>)>, State);

/// The entries after a position, and then the bounds.
///
/// A script that read both would take six times as long, and a transaction is refused where memory is full.
pub(crate) fn pipeline(
    shared: &Shared,
    after: Cursor,
    count: usize,
) -> Result<Pipeline, StoreError> {
    // There is nothing after the last position, and Redis would say so by an error.
    let after = after.min(Cursor::MAX.previous());
    let keys = &shared.keys;
    let mut range = cmd("XRANGE");
    range.arg(&keys.stream).arg(format!("({}", id(after))).arg("+").arg("COUNT").arg(count);
    let mut bounds = cmd("EVALSHA");
    bounds.arg(shared.route.engine.scripts.bounds.get_hash()).arg(4);
    bounds.arg(&keys.stream).arg(&keys.meta).arg(&keys.newest_of_key).arg(&keys.once);
    bounds.arg(sse_core::Epoch::random()?.as_str());
    let mut pipeline = pipe();
    pipeline.add_command(range).add_command(bounds);
    Ok(pipeline)
}

/// Reads an answer, as much of it as the limit allows.
fn take((entries, state): Answer, limit: PageLimit) -> Result<Read, StoreError> {
    let mut events: Vec<StoredEvent> = Vec::with_capacity(entries.len());
    let (mut size, mut last, mut is_full) = ((0, 0), None, false);
    for (id, fields) in entries {
        let at = cursor(&id)?;
        last = Some(at);
        let Some(event) = event(at, fields)? else { continue };
        size = (size.0 + 1, size.1 + event.block.len());
        is_full |= !events.is_empty() && size.1 > limit.bytes;
        if !is_full {
            events.push(event);
        }
    }
    let skipped_to = last.filter(|_| events.is_empty());
    Ok(Read { bounds: state.bounds()?, state, events, size, skipped_to })
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
    let (mut at, mut left) = ("+".to_owned(), limit);
    loop {
        let mut script = shared.invoke(&shared.route.engine.scripts.before_last)?;
        script.arg(&at).arg(left.events).arg(left.bytes);
        let (state, oldest, seen, bytes, is_all): (State, String, usize, usize, bool) =
            shared.route.call(Lane::Small, &script).await?;
        let bounds = state.bounds()?;
        if is_all {
            return match oldest.is_empty() {
                _ if limit.events == 0 => Ok(bounds.newest),
                true => Ok(bounds.floor),
                false => Ok(cursor(&oldest)?.previous().max(bounds.floor)),
            };
        }
        at = format!("({oldest}");
        left.events = left.events.saturating_sub(seen);
        left.bytes = left.bytes.saturating_sub(bytes);
    }
}
