use std::time::{Duration, Instant};

/// The time of a log, as this process knows it: from what the server said when the log was first looked at, it goes on by the clock of the
/// process that never jumps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    said: f64,
    at: Instant,
}

impl Clock {
    /// One that stands here now, in seconds since 1970.
    pub(crate) fn new(said: f64) -> Self {
        Self { said, at: Instant::now() }
    }

    pub(crate) fn now(self) -> f64 {
        self.said + self.at.elapsed().as_secs_f64()
    }
}

/// Longer ones are for ever: Postgres counts some thousands of years back, and no further.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// A time as Postgres takes it, in seconds.
pub(crate) fn interval(time: Duration) -> f64 {
    time.min(LONGEST).as_secs_f64()
}
