use sse_core::store::StoreError;
use sse_core::{Cursor, Epoch};

/// Parses an epoch that Redis has returned.
pub(crate) fn epoch(text: String) -> Result<Epoch, StoreError> {
    text.parse()
        .map_err(|_| StoreError::failed(format!("Redis returned an invalid epoch, `{text}`; check which other program writes to the keys of the log")))
}

/// Parses the id of an entry, which is a position.
pub(crate) fn cursor(id: &str) -> Result<Cursor, StoreError> {
    let numbers = id.split_once('-').and_then(|(milliseconds, number)| {
        Some(Cursor::new(milliseconds.parse().ok()?, number.parse().ok()?))
    });
    numbers.ok_or_else(|| {
        StoreError::failed(format!("Redis returned an invalid id of an entry, `{id}`; check which other program writes to the keys of the log"))
    })
}

/// Returns the id of the entry at a position.
pub(crate) fn id(cursor: Cursor) -> String {
    format!("{}-{}", cursor.hi(), cursor.lo())
}
