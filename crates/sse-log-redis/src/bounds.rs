use redis::{FromRedisValue, ParsingError, Value};
use sse_core::store::{Bounds, StoreError};
use sse_core::{Cursor, Epoch};

use crate::server::Lane;
use crate::store::Shared;

pub(crate) async fn bounds(shared: &Shared) -> Result<Bounds, StoreError> {
    let script = shared.invoke(&shared.route.engine.scripts.bounds)?;
    let state: State = shared.route.call(Lane::Small, &script).await?;
    shared.pace.learn(&state);
    state.bounds()
}

/// What `bounds` in `lua/log.lua` answers.
#[derive(Debug)]
pub(crate) struct State {
    epoch: String,
    is_finished: bool,
    deletions: u64,
    floor: String,
    /// What was the oldest entry when `floor` was written.
    oldest: String,
    /// What is the oldest entry; empty where there is none.
    first: String,
    newest: String,
    /// How many bytes the largest event has, or one that was there not long ago.
    pub(crate) largest: usize,
    /// How many events there are, and of how many bytes.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
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
        let (epoch, is_finished, deletions, floor, oldest, first, newest, largest, events, bytes) =
            FromRedisValue::from_redis_value(value)?;
        let (largest, events, bytes) = (at_least_0(largest), at_least_0(events), at_least_0(bytes));
        Ok(Self {
            epoch,
            is_finished,
            deletions,
            floor,
            oldest,
            first,
            newest,
            largest,
            events,
            bytes,
        })
    }
}

fn at_least_0(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
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
            floor: floor.into(),
            oldest: oldest.into(),
            first: first.into(),
            newest: "9-9".into(),
            largest: 0,
            events: 0,
            bytes: 0,
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
