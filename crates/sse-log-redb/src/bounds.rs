use std::ops::ControlFlow::Break;

use redb::ReadableTable;
use sse_core::Cursor;
use sse_core::store::Bounds;

use crate::failure::Failure;
use crate::rows::{self, EventRow};
use crate::tables::Head;

/// What there is in a log.
pub(crate) fn of(
    head: &Head,
    events: &impl ReadableTable<u64, EventRow>,
) -> Result<Bounds, Failure> {
    let oldest = rows::each(events.iter()?, head.floor, |event| Break(event.position))?;
    Ok(Bounds {
        epoch: head.epoch,
        floor: Cursor::from(head.floor),
        oldest: oldest.map(Cursor::from),
        newest: Cursor::from(head.newest),
        is_finished: head.is_finished,
        deletions: head.deletions,
    })
}

/// Events here are numbered by one number alone.
pub(crate) fn position(cursor: Cursor) -> u64 {
    if cursor.hi() == 0 { cursor.lo() } else { u64::MAX }
}
