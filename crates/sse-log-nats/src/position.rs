//! The codec between positions and messages.

use sse_core::Position;

/// Returns the position of a part of a message. The last part has the position after the whole message, so that the end of a message does not
/// depend on its number of events.
pub(crate) fn position(sequence: u64, number: u32) -> Position {
    match number {
        0 => Position::new(sequence, 0),
        number => Position::new(sequence - 1, number.into()),
    }
}

/// Returns the sequence of the message that has the event of this position.
pub(crate) fn sequence_of(event: Position) -> u64 {
    match event.lo() {
        0 => event.hi(),
        _ => event.hi().saturating_add(1),
    }
}

/// Returns the positions of so many events in this message.
pub(crate) fn positions(sequence: u64, events: usize) -> impl Iterator<Item = Position> {
    let before = (1..events as u64).map(move |number| Position::new(sequence - 1, number));
    before.chain([Position::new(sequence, 0)])
}
