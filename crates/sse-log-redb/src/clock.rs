//! The clock by which a file measures ages: it never jumps.

use std::time::{Duration, Instant, SystemTime};

/// How much of the time in which no process had the file open counts.
const AWAY: u64 = 24 * 3600 * 1000;

/// Milliseconds. The system's clock is read when the file is opened, and never again: from then on the time is that of the process's own
/// monotonic clock, which nobody sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: u64,
    begun: Instant,
    /// When the file was opened.
    opened: u64,
}

impl Clock {
    /// Continues from what the file says that the time was. A system clock that was set back does not take it back, and one that was set ahead
    /// by years takes it ahead by a day.
    pub(crate) fn resume(in_file: Option<u64>, system: u64) -> Self {
        let base =
            in_file.map_or(system, |in_file| system.clamp(in_file, in_file.saturating_add(AWAY)));
        Self { base, begun: Instant::now(), opened: base }
    }

    pub(crate) fn time(&self) -> Time {
        Time { now: self.base.saturating_add(millis(self.begun.elapsed())), opened: self.opened }
    }

    /// The file is opened again, or another one that has its name. It is not behind what that says.
    pub(crate) fn open_again(&mut self, in_file: u64) {
        let behind = in_file.saturating_sub(self.time().now);
        self.base = self.base.saturating_add(behind);
        self.opened = self.time().now;
    }
}

/// By the clock of the file: now, and when this process opened the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) now: u64,
    pub(crate) opened: u64,
}

/// Milliseconds of the system's clock.
pub(crate) fn system() -> u64 {
    millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_file_goes_neither_back_nor_ahead_by_years() {
        #[track_caller]
        fn check(in_file: Option<u64>, system: u64, expected: u64) {
            let now = Clock::resume(in_file, system).time().now;
            assert!((expected..expected + 10_000).contains(&now), "{now} instead of {expected}");
        }
        let day = AWAY;
        check(None, 100 * day, 100 * day);
        check(Some(100 * day), 100 * day + 5, 100 * day + 5);
        check(Some(100 * day), 3 * day, 100 * day);
        check(Some(100 * day), 500 * day, 101 * day);
    }
}
