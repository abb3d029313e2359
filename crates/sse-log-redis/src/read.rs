use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value, cmd, from_redis_value, pipe};
use sse_core::Position;
use sse_core::store::{Bounds, Page, PageLimit, StoreError, StoredEvent};
use tokio::time::timeout;

use crate::calls::Request;
use crate::core::LogCore;
use crate::error::no_reply;
use crate::log_state::LogState;
use crate::pending_pages::{PageReply, PendingPage};
use crate::position::{id, position};
use crate::server::Lane;
use crate::topics;

/// The time that a single event may take to arrive: that of 1 MiB over a line of 20 kB a second, and a reserve.
const LONGEST: Duration = Duration::from_secs(300);

/// Returns the events after a position: at least one, if there is any.
pub(crate) async fn read(
    core: &Arc<LogCore>,
    after: Position,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let mut from = after;
    loop {
        let (reply, requested, took) = fetch(core, from, limit).await?;
        let parsed = parse(reply, limit)?;
        core.page_size.page_arrived(requested, parsed.size, took);
        core.page_size.note_sizes(&parsed.state);
        match parsed.skipped_to {
            Some(last) => from = last,
            None => return Ok(Page { bounds: parsed.bounds, events: parsed.events }),
        }
    }
}

/// Returns the reply for the page after a position, the number of events that were requested, and the time that the reply took.
async fn fetch(
    core: &Arc<LogCore>,
    after: Position,
    limit: PageLimit,
) -> Result<(PageReply, usize, Duration), StoreError> {
    let pending = core.pending_pages.take(after);
    let mut page = pending.map_or_else(|| request(core, after, limit), Ok)?;
    let within = core.caller.timeout;
    let (count, requested) = (page.count, page.requested);
    if count == 1 {
        let Ok(ended) = timeout(within, &mut page.task).await else {
            core.page_size.page_timed_out();
            core.pending_pages.add(page);
            return Err(no_reply(within));
        };
        return Ok((ended.map_err(StoreError::failed)??, count, requested.elapsed()));
    }
    // The call times out by itself and retires its connection: the page is too large for this line.
    let reply = (&mut page.task).await.map_err(StoreError::failed)?;
    if reply.is_err() {
        core.page_size.page_timed_out();
    }
    Ok((reply?, count, requested.elapsed()))
}

fn request(
    core: &Arc<LogCore>,
    after: Position,
    limit: PageLimit,
) -> Result<PendingPage, StoreError> {
    let count = core.page_size.count(limit);
    let pipeline = pipeline(core, after, count)?;
    // A page of several events that is late is requested again with fewer; a single event cannot be divided.
    let within = if count == 1 { LONGEST } else { core.caller.timeout };
    let (requested, caller) = (Instant::now(), Arc::clone(&core.caller));
    let task = tokio::spawn(async move {
        let request = Request::Pipeline(&pipeline, &caller.engine.scripts.bounds);
        caller.call_within(within, Lane::Large, request).await
    });
    Ok(PendingPage { after, count, requested, task })
}

/// Returns the commands that read the entries after a position, and then the bounds.
///
/// A script that read both would take six times as long, and Redis refuses a transaction if its memory is full.
fn pipeline(core: &LogCore, after: Position, count: usize) -> Result<Pipeline, StoreError> {
    // Redis returns an error for a range after the last position, which is always empty.
    let after = after.min(Position::MAX.previous());
    let mut range = cmd("XRANGE");
    range.arg(&core.keys.stream).arg(format!("({}", id(after))).arg("+").arg("COUNT").arg(count);
    let mut pipeline = pipe();
    pipeline.add_command(range).add_command(bounds(core)?);
    Ok(pipeline)
}

/// Returns the command that reads the bounds, for the end of a pipeline.
pub(crate) fn bounds(core: &LogCore) -> Result<Cmd, StoreError> {
    let keys = core.keys.all();
    let mut bounds = cmd("EVALSHA");
    bounds.arg(core.caller.engine.scripts.bounds.get_hash()).arg(keys.len()).arg(&keys[..]);
    bounds.arg(sse_core::Epoch::random()?.as_str());
    Ok(bounds)
}

/// The contents of a reply.
struct Parsed {
    bounds: Bounds,
    state: LogState,
    events: Vec<StoredEvent>,
    /// The number of events in the reply, and their bytes. The reply may have more events than the limit allows.
    size: (usize, usize),
    /// The position of the last entry, if no entry is an event of the log.
    skipped_to: Option<Position>,
}

/// Parses a reply, and drops the events that are over the limit.
fn parse((entries, state): PageReply, limit: PageLimit) -> Result<Parsed, StoreError> {
    let mut events: Vec<StoredEvent> = Vec::with_capacity(entries.len());
    let (mut size, mut last, mut is_full) = ((0, 0), None, false);
    for (id, fields) in entries {
        let at = position(&id)?;
        last = Some(at);
        let Some(event) = event(at, fields)? else { continue };
        size = (size.0 + 1, size.1 + event.block.len());
        is_full |= !events.is_empty() && size.1 > limit.bytes;
        if !is_full {
            events.push(event);
        }
    }
    let skipped_to = last.filter(|_| events.is_empty());
    Ok(Parsed { bounds: state.bounds()?, state, events, size, skipped_to })
}

/// Returns the event of an entry, or nothing if another program has added the entry.
pub(crate) fn event(
    position: Position,
    fields: Vec<Value>,
) -> Result<Option<StoredEvent>, StoreError> {
    let (mut block, mut key, mut list) = (None, None, None);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match &name {
            Value::BulkString(name) if name == b"b" => block = Some(value),
            Value::BulkString(name) if name == b"k" => key = Some(value),
            Value::BulkString(name) if name == b"t" => list = Some(value),
            _ => {}
        }
    }
    let Some(block) = block else { return Ok(None) };
    let block: Vec<u8> = from_redis_value(block).map_err(StoreError::failed)?;
    // The key and the topics of an event of the log are UTF-8.
    let texts = |value: Option<Value>| value.map(from_redis_value::<String>).transpose();
    let (Ok(key), Ok(list)) = (texts(key), texts(list)) else { return Ok(None) };
    let Some(topics) = topics::parse(list.as_deref().unwrap_or_default()) else { return Ok(None) };
    Ok(Some(StoredEvent { position, block: Bytes::from(block), key: key.map(Into::into), topics }))
}
