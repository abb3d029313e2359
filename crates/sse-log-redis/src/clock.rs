use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A clock that does not jump: the time since this process last wrote to the log. The server's own clock may jump (`lua/clock.lua`).
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<Instant>>);

/// The factor by which the server's clock may run faster than the clock of this process.
const SLACK: f64 = 1.01;

impl Clock {
    /// Returns the milliseconds since this process last wrote to the log, rounded up; empty if it has not written.
    pub(crate) fn elapsed(&self) -> String {
        let written = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = written.map(|written| written.elapsed().mul_f64(SLACK).as_millis() + 1);
        elapsed.map(|elapsed| elapsed.to_string()).unwrap_or_default()
    }

    /// Notes that Redis has done a call that was sent at this time.
    pub(crate) fn wrote(&self, sent: Instant) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *written = (*written).max(Some(sent));
    }
}

/// Returns a time in milliseconds, rounded up, at most 2^53: Lua has exact integers up to that.
pub(crate) fn millis_up(time: Duration) -> u64 {
    let rounded = time.saturating_add(Duration::from_nanos(999_999));
    u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX).min(1 << 53)
}
