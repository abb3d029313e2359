use std::ops::Bound;
use std::ops::ControlFlow::{Break, Continue};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redb::ReadableTable;
use sse_core::Position;
use sse_core::store::{Page, PageLimit, StoredEvent, Topics};

use crate::bounds;
use crate::clock::millis_up;
use crate::error::Failure;
use crate::events::{self, Row, RowEvent};
use crate::position::number;
use crate::tables::LogView;

/// Returns the events after a position, with the bounds of the same transaction.
pub(crate) fn read(log: &LogView<'_>, after: Position, limit: PageLimit) -> Result<Page, Failure> {
    let mut page = PageBuilder::new(limit);
    let after = number(after);
    let rows = log.events.range((Bound::Excluded(after), Bound::Unbounded))?;
    let end = events::for_each(rows, after.max(log.head.floor), |event| {
        match event.topics.decode().map(|topics| page.add(&event, topics)) {
            Ok(true) => Continue(()),
            Ok(false) => Break(Ok(())),
            Err(failure) => Break(Err(failure)),
        }
    })?;
    end.unwrap_or(Ok(()))?;
    page.finish(log)
}

/// Builder of a page. All blocks of a page share an allocation.
pub(crate) struct PageBuilder {
    limit: PageLimit,
    blocks: Vec<u8>,
    events: Vec<PageEvent>,
}

/// Position, key and topics of an event, and the place of its block.
type PageEvent = (u64, Option<Arc<str>>, Topics, Range<usize>);

impl PageBuilder {
    pub(crate) fn new(limit: PageLimit) -> Self {
        Self { limit, blocks: Vec::new(), events: Vec::new() }
    }

    /// Adds an event. Returns false, and adds nothing, if the page is full; the first event is added whatever its size.
    pub(crate) fn add(&mut self, event: &RowEvent<'_>, topics: Topics) -> bool {
        let (begin, bytes) = (self.blocks.len(), self.blocks.len() + event.block.len());
        let is_too_much = self.events.len() >= self.limit.events || bytes > self.limit.bytes;
        if is_too_much && !self.events.is_empty() {
            return false;
        }
        self.blocks.extend_from_slice(event.block);
        self.events.push((event.position, event.key.map(Into::into), topics, begin..bytes));
        true
    }

    /// Returns the page, with the bounds of the transaction.
    pub(crate) fn finish(self, log: &LogView<'_>) -> Result<Page, Failure> {
        let blocks = Bytes::from(self.blocks);
        let events = self.events.into_iter().map(|(at, key, topics, range)| StoredEvent {
            position: Position::from(at),
            block: blocks.slice(range),
            key,
            topics,
        });
        Ok(Page { events: events.collect(), bounds: bounds::of(&log.head, &log.events)? })
    }
}

/// Returns the position before the newest events that fit into this limit.
pub(crate) fn before_last(log: &LogView<'_>, limit: PageLimit) -> Result<Position, Failure> {
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
fn before_last_events(log: &LogView<'_>, count: usize) -> Result<Position, Failure> {
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

/// Returns the position before the oldest event that was stored within this time. The clock of a file never goes back, so the times of the rows
/// rise with their positions.
pub(crate) fn before_since(
    log: &LogView<'_>,
    age: Duration,
    now: u64,
) -> Result<Position, Failure> {
    let age = millis_up(age);
    // Every event up to `old` is older, and none from `new` on.
    let (mut old, mut new) = (log.head.floor, log.head.newest.saturating_add(1));
    while new - old > 1 {
        let middle = old + (new - old) / 2;
        let row = log.events.range(middle..)?.next().transpose()?;
        match row.as_ref().map(Row::of) {
            Some(row) if now.saturating_sub(row.stored) > age => old = row.last(),
            _ => new = middle,
        }
    }
    Ok(Position::from(old))
}
