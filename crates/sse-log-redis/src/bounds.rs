use redis::{FromRedisValue, ParsingError, Value};
use sse_core::store::{Bounds, StoreError};
use sse_core::{Cursor, Epoch};

use crate::store::Shared;

pub(crate) async fn bounds(shared: &Shared) -> Result<Bounds, StoreError> {
    let script = shared.invoke(&shared.scripts.bounds)?;
    let state: State = shared.connections.call(&script).await?;
    shared.sizes.learn(0, 0, state.largest);
    state.bounds()
}

/// What `bounds` in `lua/log.lua` answers.
#[derive(Debug)]
pub(crate) struct State {
    epoch: String,
    is_finished: bool,
    deletions: u64,
    /// The newest entry in the stream of changes.
    pub(crate) changes: String,
    floor: String,
    /// What was the oldest entry when `floor` was written.
    oldest: String,
    /// What is the oldest entry; empty where there is none.
    first: String,
    newest: String,
    /// How many bytes the largest event has had.
    pub(crate) largest: usize,
}

impl State {
    pub(crate) fn bounds(&self) -> Result<Bounds, StoreError> {
        let newest = cursor(&self.newest)?;
        let oldest = (!self.first.is_empty()).then(|| cursor(&self.first)).transpose()?;
        let known = match self.floor.split_at_checked(1) {
            Some(("=", id)) => cursor(id)?,
            Some(("<", id)) => cursor(id)?.previous(),
            _ => Cursor::START,
        };
        let floor = match oldest {
            _ if self.first == self.oldest => known,
            // Somebody else has trimmed: what lay right before the oldest may be gone.
            Some(oldest) => known.max(oldest.previous()),
            None => known.max(newest),
        };
        Ok(Bounds {
            epoch: epoch(self.epoch.clone())?,
            floor,
            oldest,
            newest,
            is_finished: self.is_finished,
            deletions: self.deletions,
        })
    }
}

impl FromRedisValue for State {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (epoch, is_finished, deletions, changes, floor, oldest, first, newest, largest) =
            FromRedisValue::from_redis_value(value)?;
        Ok(Self { epoch, is_finished, deletions, changes, floor, oldest, first, newest, largest })
    }
}

pub(crate) fn epoch(text: String) -> Result<Epoch, StoreError> {
    text.parse().map_err(|_| StoreError::failed(format!("`{text}` is no epoch of a log")))
}

/// The position that an id of an entry says.
pub(crate) fn cursor(id: &str) -> Result<Cursor, StoreError> {
    let numbers = id.split_once('-').and_then(|(milliseconds, number)| {
        Some(Cursor::new(milliseconds.parse().ok()?, number.parse().ok()?))
    });
    numbers.ok_or_else(|| StoreError::failed(format!("`{id}` is no id of an entry in a stream")))
}

/// The id of the entry at a position.
pub(crate) fn id(cursor: Cursor) -> String {
    format!("{}-{}", cursor.hi(), cursor.lo())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(floor: &str, oldest: &str, first: &str, expected: Cursor) {
        let state = State {
            epoch: "e".into(),
            is_finished: false,
            deletions: 0,
            changes: "0-0".into(),
            floor: floor.into(),
            oldest: oldest.into(),
            first: first.into(),
            newest: "9-9".into(),
            largest: 0,
        };
        assert_eq!(state.bounds().expect("well-formed").floor, expected);
    }

    #[test]
    fn the_floor_is_never_below_what_somebody_else_has_trimmed() {
        check("", "", "", Cursor::START);
        check("", "1-0", "1-0", Cursor::START);
        check("=1-4", "2-0", "2-0", Cursor::new(1, 4));
        check("<2-0", "2-0", "2-0", Cursor::new(1, u64::MAX));
        check("=1-4", "2-0", "3-5", Cursor::new(3, 4));
        check("=1-4", "2-0", "", Cursor::new(9, 9));
        check("", "", "3-5", Cursor::new(3, 4));
    }
}
