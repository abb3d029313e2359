//! How much is asked for at a time, as the line takes it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How many bytes are asked for: at first, and over lines that are slow or fast.
pub(crate) const FIRST: usize = 64 << 10;
const LEAST: usize = 16 << 10;
pub(crate) const MOST: usize = 1 << 20;
/// How long so many bytes take over a line that is slow or fast.
const SLOW: Duration = Duration::from_secs(2);
const FAST: Duration = Duration::from_millis(500);

/// How many bytes to ask for after so many took so long.
pub(crate) fn next(bytes: usize, took: Duration) -> usize {
    match took {
        took if took < FAST => (bytes * 2).min(MOST),
        took if took > SLOW => (bytes / 2).max(LEAST),
        _ => bytes,
    }
}

/// The pace of the pages of an engine, which come on one connection.
#[derive(Debug)]
pub(crate) struct Pace(AtomicUsize);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicUsize::new(FIRST))
    }
}

impl Pace {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// So many bytes, that were asked for, took so long. Fewer say nothing of more.
    pub(crate) fn took(&self, bytes: usize, took: Duration) {
        let before = self.bytes();
        let after = next(before, took);
        if after < before || bytes == before {
            // Another page may be faster: either will do.
            self.0.store(after, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_asked_for_less_and_a_fast_one_for_more() {
        let pace = Pace::default();
        for _ in 0..10 {
            pace.took(pace.bytes(), Duration::from_millis(1));
        }
        assert_eq!(pace.bytes(), MOST);
        pace.took(1000, Duration::from_millis(1));
        pace.took(1000, Duration::from_secs(1));
        assert_eq!(pace.bytes(), MOST);
        for _ in 0..10 {
            pace.took(1000, Duration::from_secs(3));
        }
        assert_eq!(pace.bytes(), LEAST);
    }
}
