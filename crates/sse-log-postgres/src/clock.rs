use std::time::{Duration, Instant};

/// The time of a log in this process. It starts at the server's time at the first read of the log, and advances by the monotonic clock of the
/// process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    server_time: f64,
    read_at: Instant,
}

impl Clock {
    /// Returns a clock that shows this time now, in seconds since 1970.
    pub(crate) fn new(server_time: f64) -> Self {
        Self { server_time, read_at: Instant::now() }
    }

    /// Returns the time, in seconds since 1970.
    pub(crate) fn now(self) -> f64 {
        self.server_time + self.read_at.elapsed().as_secs_f64()
    }
}

/// The longest interval: 1 000 years. Postgres cannot subtract more than some thousands of years, and a longer time means "for ever".
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// Converts a time to the seconds of an interval in Postgres.
pub(crate) fn interval(time: Duration) -> f64 {
    time.min(LONGEST).as_secs_f64()
}
