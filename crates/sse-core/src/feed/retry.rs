//! The reconnection times of the streams of a feed.

use std::fmt;
use std::time::Duration;

use crate::{Event, Timer};

/// The time that browsers wait before they reconnect.
const USUAL: Duration = Duration::from_secs(3);

/// The option of a feed. Small, because a server holds very many streams.
#[derive(Clone, Copy)]
pub(crate) struct Retry {
    millis: u32,
    start: AtStart,
}

/// The line at the start of a stream.
#[derive(Clone, Copy)]
enum AtStart {
    Spread,
    Exact,
    Missing,
}

impl Retry {
    pub(crate) fn around(time: Duration) -> Self {
        Self::new(time, AtStart::Spread)
    }

    pub(crate) fn exactly(time: Duration) -> Self {
        Self::new(time, AtStart::Exact)
    }

    pub(crate) fn unset() -> Self {
        Self::new(USUAL, AtStart::Missing)
    }

    fn new(time: Duration, start: AtStart) -> Self {
        Self { millis: time.min(Event::MAX_RETRY).as_millis() as u32, start }
    }

    /// Returns the time for the first line of a stream.
    pub(crate) fn at_the_start(self, timer: &Timer) -> Option<Duration> {
        match self.start {
            AtStart::Spread => Some(timer.spread(self.usual())),
            AtStart::Exact => Some(self.usual()),
            AtStart::Missing => None,
        }
    }

    /// Returns the time for the last line of a stream that the server ends: always spread, because the server ends many at once.
    pub(crate) fn at_the_end(self, timer: &Timer) -> Duration {
        timer.spread(self.usual())
    }

    fn usual(self) -> Duration {
        Duration::from_millis(self.millis.into())
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::around(USUAL)
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            AtStart::Spread => write!(f, "around {:?}", self.usual()),
            AtStart::Exact => write!(f, "exactly {:?}", self.usual()),
            AtStart::Missing => f.write_str("none"),
        }
    }
}
