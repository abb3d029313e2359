//! A log line that comes at most once in a while for each cause, however often there is reason for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of causes that are known. Of more, the one whose line is the oldest is forgotten.
const MOST: usize = 64;

#[derive(Debug)]
pub(crate) struct Seldom {
    apart: Duration,
    lines: Mutex<Vec<Line>>,
}

/// The last line of a cause.
#[derive(Debug)]
struct Line {
    cause: String,
    at: Instant,
    /// The number of lines left out since.
    left_out: u64,
}

impl Seldom {
    /// Two lines of one cause are at least this far apart.
    pub(crate) const fn new(apart: Duration) -> Self {
        Self { apart, lines: Mutex::new(Vec::new()) }
    }

    /// Returns the number of lines left out since the last one of this cause, or nothing if this one is left out.
    pub(crate) fn since(&self, cause: &str, now: Instant) -> Option<u64> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lines.iter().position(|line| line.cause == cause);
        if let Some(line) = known.map(|known| &mut lines[known])
            && now.saturating_duration_since(line.at) < self.apart
        {
            line.left_out += 1;
            return None;
        }
        let last = known.map(|known| lines.remove(known));
        if lines.len() == MOST {
            lines.remove(0); // the oldest: a new line is put at the end
        }
        lines.push(Line { cause: cause.to_owned(), at: now, left_out: 0 });
        Some(last.map_or(0, |line| line.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_reasons_in_a_minute_are_one_line_and_the_next_counts_them() {
        let (seldom, begun) = (Seldom::new(Duration::from_secs(60)), Instant::now());
        let after = |seconds| seldom.since("prices", begun + Duration::from_secs(seconds));
        assert_eq!(after(0), Some(0));
        for _ in 0..999 {
            assert_eq!(after(59), None);
        }
        assert_eq!(after(60), Some(999));
        assert_eq!(after(61), None);
        assert_eq!(after(121), Some(1));
    }

    #[test]
    fn each_cause_has_its_own_lines_and_the_oldest_is_forgotten() {
        let (seldom, now) = (Seldom::new(Duration::from_secs(60)), Instant::now());
        for cause in 0..=MOST {
            assert_eq!(seldom.since(&cause.to_string(), now), Some(0), "{cause}");
        }
        assert_eq!(seldom.since(&MOST.to_string(), now), None);
        assert_eq!(seldom.since("1", now), None);
        assert_eq!(seldom.since("0", now), Some(0), "it was the oldest");
    }
}
