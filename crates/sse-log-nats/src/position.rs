//! The codec between positions and messages.

use sse_core::Cursor;

/// Returns the position of a part of a message. The last part has the position after the whole message, so that the end of a message does not
/// depend on its number of events.
pub(crate) fn position(sequence: u64, number: u32) -> Cursor {
    match number {
        0 => Cursor::new(sequence, 0),
        number => Cursor::new(sequence - 1, number.into()),
    }
}

/// Returns the sequence of the message that has the event of this position.
pub(crate) fn sequence_of(event: Cursor) -> u64 {
    match event.lo() {
        0 => event.hi(),
        _ => event.hi().saturating_add(1),
    }
}

/// Returns the positions of so many events in this message.
pub(crate) fn cursors(sequence: u64, events: usize) -> impl Iterator<Item = Cursor> {
    let before = (1..events as u64).map(move |number| Cursor::new(sequence - 1, number));
    before.chain([Cursor::new(sequence, 0)])
}
