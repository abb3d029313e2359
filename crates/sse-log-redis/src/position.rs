use sse_core::store::StoreError;
use sse_core::{Epoch, Position};

/// Parses an epoch that Redis has returned.
pub(crate) fn epoch(text: String) -> Result<Epoch, StoreError> {
    text.parse().map_err(|_| invalid("epoch", &text))
}

/// Parses the id of an entry, which is a position.
pub(crate) fn position(id: &str) -> Result<Position, StoreError> {
    let numbers = id.split_once('-').and_then(|(milliseconds, number)| {
        Some(Position::new(milliseconds.parse().ok()?, number.parse().ok()?))
    });
    numbers.ok_or_else(|| invalid("id of an entry", id))
}

/// Returns the error of a value that no version of this crate has written.
pub(crate) fn invalid(what: &str, text: &str) -> StoreError {
    StoreError::failed(format!(
        "Redis returned an invalid {what}, `{text}`; check which other program writes to the keys of the log"
    ))
}

/// Returns the id of the entry at a position.
pub(crate) fn id(position: Position) -> String {
    format!("{}-{}", position.hi(), position.lo())
}
