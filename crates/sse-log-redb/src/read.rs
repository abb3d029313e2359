use std::ops::Bound;
use std::ops::ControlFlow::{Break, Continue};

use bytes::Bytes;
use redb::ReadableTable;
use sse_core::Position;
use sse_core::store::{Page, PageLimit, StoredEvent, Topics};

use crate::bounds;
use crate::error::Failure;
use crate::events::{self, RowEvent};
use crate::position::number;
use crate::tables::LogView;

/// Returns the events after a position, with the bounds of the same transaction.
pub(crate) fn read(log: &LogView, after: Position, limit: PageLimit) -> Result<Page, Failure> {
    let mut blocks = Vec::new();
    let mut found = Vec::new();
    let after = number(after);
    let rows = log.events.range((Bound::Excluded(after), Bound::Unbounded))?;
    events::for_each(rows, after.max(log.head.floor), |event| {
        let bytes = blocks.len() + event.block.len();
        let is_too_much = found.len() >= limit.events || bytes > limit.bytes;
        if is_too_much && !found.is_empty() {
            return Break(());
        }
        let begin = blocks.len();
        blocks.extend_from_slice(event.block);
        found.push((event.position, event.key.map(Into::into), begin..bytes));
        Continue(())
    })?;
    // All blocks of a page share an allocation.
    let blocks = Bytes::from(blocks);
    let events = found.into_iter().map(|(at, key, range)| StoredEvent {
        position: Position::from(at),
        block: blocks.slice(range),
        key,
        topics: Topics::default(),
    });
    Ok(Page { events: events.collect(), bounds: bounds::of(&log.head, &log.events)? })
}

/// Returns the position before the newest events that fit into this limit.
pub(crate) fn before_last(log: &LogView, limit: PageLimit) -> Result<Position, Failure> {
    if limit.bytes == usize::MAX || limit.events == 0 {
        return before_last_events(log, limit.events);
    }
    let (mut count, mut bytes) = (0, 0);
    let before = events::for_each_reversed(log.events.iter()?, log.head.floor, |event| {
        bytes += event.block.len();
        if count == limit.events || (count > 0 && bytes > limit.bytes) {
            return Break(event.position);
        }
        count += 1;
        Continue(())
    })?;
    Ok(Position::from(before.unwrap_or(log.head.floor)))
}

/// Returns the position before the newest `count` events. It counts from the nearer end, since positions have holes.
fn before_last_events(log: &LogView, count: usize) -> Result<Position, Failure> {
    let (head, count) = (&log.head, count as u64);
    if count == 0 {
        return Ok(Position::from(head.newest));
    }
    let Some(before) = head.events.checked_sub(count).and_then(|left_out| left_out.checked_sub(1))
    else {
        return Ok(Position::from(head.floor));
    };
    let mut left = before.min(count);
    let nth = |event: RowEvent<'_>| {
        if left == 0 {
            return Break(event.position);
        }
        left -= 1;
        Continue(())
    };
    let found = match before < count {
        true => events::for_each(log.events.iter()?, head.floor, nth),
        false => events::for_each_reversed(log.events.iter()?, head.floor, nth),
    };
    Ok(Position::from(found?.unwrap_or(head.floor)))
}
