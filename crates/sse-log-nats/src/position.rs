//! Positions, from the messages that events are in.

use sse_core::Cursor;

/// Where a part of a message is. The last has the position after the whole message, so that where a message ends does not depend on how
/// many events it has.
pub(crate) fn position(sequence: u64, number: u32) -> Cursor {
    match number {
        0 => Cursor::new(sequence, 0),
        number => Cursor::new(sequence - 1, number.into()),
    }
}

/// In which message the event of this position is.
pub(crate) fn sequence_of(event: Cursor) -> u64 {
    match event.lo() {
        0 => event.hi(),
        _ => event.hi().saturating_add(1),
    }
}

/// The positions of so many events in this message.
pub(crate) fn cursors(sequence: u64, events: usize) -> impl Iterator<Item = Cursor> {
    let before = (1..events as u64).map(move |number| Cursor::new(sequence - 1, number));
    before.chain([Cursor::new(sequence, 0)])
}
