use std::ops::ControlFlow::Break;

use redb::ReadableTable;
use sse_core::Position;
use sse_core::store::Bounds;

use crate::error::Failure;
use crate::events::{self, EventRow};
use crate::tables::Head;

/// Returns the bounds of a log.
pub(crate) fn of(
    head: &Head,
    events: &impl ReadableTable<u64, EventRow>,
) -> Result<Bounds, Failure> {
    let oldest = events::for_each(events.iter()?, head.floor, |event| Break(event.position))?;
    Ok(Bounds {
        epoch: head.epoch,
        floor: Position::from(head.floor),
        oldest: oldest.map(Position::from),
        newest: Position::from(head.newest),
        is_finished: head.is_finished,
        deletions: head.deletions,
    })
}
