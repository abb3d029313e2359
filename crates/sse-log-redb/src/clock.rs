//! The clock that measures ages in a file; it never jumps.

use std::time::{Duration, Instant, SystemTime};

/// Longest time without a process that counts, in milliseconds: a day. More is ignored, since the system's clock may be wrong.
const AWAY: u64 = 24 * 3600 * 1000;

/// Clock of a file, in milliseconds. It reads the system's clock once, when the file is opened; after that it follows the process's
/// monotonic clock, which cannot be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: u64,
    begun: Instant,
    /// Time at which this process opened the file.
    opened: u64,
}

impl Clock {
    /// Continues from the time that the file holds. If the system's clock is behind that time, the time stays; if it is ahead by years, the time
    /// advances by a day.
    pub(crate) fn resume(in_file: Option<u64>, system: u64) -> Self {
        let base =
            in_file.map_or(system, |in_file| system.clamp(in_file, in_file.saturating_add(AWAY)));
        Self { base, begun: Instant::now(), opened: base }
    }

    pub(crate) fn time(&self) -> Time {
        Time { now: self.base.saturating_add(millis(self.begun.elapsed())), opened: self.opened }
    }

    /// Continues after the file, or another file of its name, was opened again. The time is never behind the time in the file.
    pub(crate) fn open_again(&mut self, in_file: u64) {
        let behind = in_file.saturating_sub(self.time().now);
        self.base = self.base.saturating_add(behind);
        self.opened = self.time().now;
    }
}

/// Time by the clock of the file, in milliseconds: now, and when this process opened the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) now: u64,
    pub(crate) opened: u64,
}

/// Returns the time of the system's clock, in milliseconds.
pub(crate) fn system() -> u64 {
    millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the time in milliseconds, rounded up.
pub(crate) fn millis_up(duration: Duration) -> u64 {
    millis(duration.saturating_add(Duration::from_nanos(999_999)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_file_goes_neither_back_nor_years_ahead() {
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
