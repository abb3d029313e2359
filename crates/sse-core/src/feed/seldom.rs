//! A log line that comes at most once in a while, however often there is reason for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Seldom {
    apart: Duration,
    /// The time of the last line, and the number of those left out since.
    last: Mutex<Option<(Instant, u64)>>,
}

impl Seldom {
    /// Two lines are at least this far apart.
    pub(crate) const fn new(apart: Duration) -> Self {
        Self { apart, last: Mutex::new(None) }
    }

    /// Returns the number of lines left out since the last one, or nothing if this one is left out.
    pub(crate) fn since(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some((at, left_out)) if now.saturating_duration_since(*at) < self.apart => {
                *left_out += 1;
                None
            }
            other => Some(other.replace((now, 0)).map_or(0, |(_, left_out)| left_out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_reasons_in_a_minute_are_one_line_and_the_next_counts_them() {
        let (seldom, begun) = (Seldom::new(Duration::from_secs(60)), Instant::now());
        assert_eq!(seldom.since(begun), Some(0));
        for milliseconds in 0..999 {
            assert_eq!(seldom.since(begun + Duration::from_millis(milliseconds)), None);
        }
        assert_eq!(seldom.since(begun + Duration::from_secs(60)), Some(999));
        assert_eq!(seldom.since(begun + Duration::from_secs(61)), None);
        assert_eq!(seldom.since(begun + Duration::from_secs(121)), Some(1));
    }
}
