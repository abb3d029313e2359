use std::ops::Bound;

use bytes::Bytes;
use redb::{ReadableTable, ReadableTableMetadata};
use sse_core::Cursor;
use sse_core::store::{Page, PageLimit, StoredEvent};

use crate::bounds::{self, position};
use crate::failure::Failure;
use crate::tables::LogView;

/// The events after a position, as of one moment: bounds and events are of the same transaction.
pub(crate) fn read(log: &LogView, after: Cursor, limit: PageLimit) -> Result<Page, Failure> {
    let mut blocks = Vec::new();
    let mut found = Vec::new();
    for event in log.events.range((Bound::Excluded(position(after)), Bound::Unbounded))? {
        let (at, event) = event?;
        let (_, key, block) = event.value();
        let is_too_much = found.len() >= limit.events || blocks.len() + block.len() > limit.bytes;
        if is_too_much && !found.is_empty() {
            break;
        }
        let begin = blocks.len();
        blocks.extend_from_slice(block);
        let key = (!key.is_empty()).then(|| key.into());
        found.push((at.value(), key, begin..blocks.len()));
    }
    // One allocation holds all blocks of a page.
    let blocks = Bytes::from(blocks);
    let events = found.into_iter().map(|(at, key, range)| StoredEvent {
        cursor: Cursor::from(at),
        block: blocks.slice(range),
        key,
    });
    Ok(Page { events: events.collect(), bounds: bounds::of(&log.head, &log.events)? })
}

/// The position before the newest events that fit into this limit.
pub(crate) fn before_last(log: &LogView, limit: PageLimit) -> Result<Cursor, Failure> {
    if limit.bytes == usize::MAX || limit.events == 0 {
        return before_last_events(log, limit.events);
    }
    let (mut count, mut bytes) = (0, 0);
    for event in log.events.iter()?.rev() {
        let (at, event) = event?;
        bytes += event.value().2.len();
        if count == limit.events || (count > 0 && bytes > limit.bytes) {
            return Ok(Cursor::from(at.value()));
        }
        count += 1;
    }
    Ok(Cursor::from(log.head.floor))
}

/// The position after which there are just so many events. Counted from the nearer end, since there are holes.
fn before_last_events(log: &LogView, count: usize) -> Result<Cursor, Failure> {
    let (all, count) = (log.events.len()?, count as u64);
    let Some(before) = all.checked_sub(count).and_then(|left_out| left_out.checked_sub(1)) else {
        return Ok(Cursor::from(log.head.floor));
    };
    if count == 0 {
        return Ok(Cursor::from(log.head.newest));
    }
    let mut events = log.events.iter()?;
    let found = match before < count {
        true => events.nth(before as usize),
        false => events.rev().nth(count as usize),
    };
    let at = found.transpose()?.map_or(log.head.floor, |(at, _)| at.value());
    Ok(Cursor::from(at))
}
