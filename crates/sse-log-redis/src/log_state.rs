use redis::{FromRedisValue, ParsingError, Value};
use sse_core::Position;
use sse_core::store::{Bounds, StoreError};

use crate::position::{epoch, invalid, position};

/// The state of a log, as `bounds` in `lua/log.lua` returns it.
#[derive(Debug)]
pub(crate) struct LogState {
    epoch: String,
    is_finished: bool,
    deletions: u64,
    floor: String,
    /// The id of the oldest entry at the time that `floor` was written.
    oldest: String,
    /// The id of the oldest entry; empty if the log has no entry.
    first: String,
    newest: String,
    /// The bytes of the largest event; that event may have been dropped not long ago.
    pub(crate) largest: usize,
    /// The number of events.
    pub(crate) events: usize,
    /// The bytes of all events.
    pub(crate) bytes: usize,
}

impl LogState {
    /// Returns the bounds, whose floor is never below what another program has trimmed.
    pub(crate) fn bounds(&self) -> Result<Bounds, StoreError> {
        let newest = position(&self.newest)?;
        let oldest = (!self.first.is_empty()).then(|| position(&self.first)).transpose()?;
        let known = match self.floor.split_at_checked(1) {
            Some(("=", id)) => position(id)?,
            Some(("<", id)) => position(id)?.previous(),
            _ if self.floor.is_empty() => Position::START,
            _ => return Err(invalid("floor", &self.floor)),
        };
        let floor = match oldest {
            _ if self.first == self.oldest => known,
            // Another program has trimmed the stream: the entry right before the oldest may be gone.
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

impl FromRedisValue for LogState {
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

/// Returns the number, or 0 if it is negative.
fn at_least_0(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(floor: &str, oldest: &str, first: &str) -> LogState {
        LogState {
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
        }
    }

    #[track_caller]
    fn check(floor: &str, oldest: &str, first: &str, expected: Position) {
        assert_eq!(state(floor, oldest, first).bounds().expect("valid").floor, expected);
    }

    #[test]
    fn an_invalid_floor_is_an_error_that_names_it() {
        for floor in ["1-4", "=", "<", "=1", "=1-x", "x", "\u{e9}"] {
            let error = state(floor, "2-0", "2-0").bounds().expect_err(floor);
            let told = format!("{error:?}");
            assert!(told.contains("Redis returned an invalid"), "{told}");
        }
    }

    #[test]
    fn the_floor_is_never_below_what_another_program_has_trimmed() {
        check("", "", "", Position::START);
        check("", "1-0", "1-0", Position::START);
        check("=1-4", "2-0", "2-0", Position::new(1, 4));
        check("<2-0", "2-0", "2-0", Position::new(1, u64::MAX));
        check("=1-4", "2-0", "3-5", Position::new(3, 4));
        check("=1-4", "2-0", "", Position::new(9, 9));
        check("", "", "3-5", Position::new(3, 4));
    }
}
