use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A clock that does not jump: how long ago this process has written to the log. The server's own clock may jump (`lua/clock.lua`).
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<Instant>>);

/// How much faster than ours the server's clock may go.
const SLACK: f64 = 1.01;

impl Clock {
    /// Returns the milliseconds since this process last wrote to the log, rounded up; nothing if it has not.
    pub(crate) fn elapsed(&self) -> String {
        let written = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = written.map(|written| written.elapsed().mul_f64(SLACK).as_millis() + 1);
        elapsed.map(|elapsed| elapsed.to_string()).unwrap_or_default()
    }

    /// Notes that a call that was sent then has been done.
    pub(crate) fn wrote(&self, sent: Instant) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *written = (*written).max(Some(sent));
    }
}
