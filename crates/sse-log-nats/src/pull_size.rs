//! The number of bytes to request at a time, which follows the speed of the line.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Number of requested bytes: at first, at least, and at most.
pub(crate) const FIRST: usize = 64 << 10;
const LEAST: usize = 16 << 10;
pub(crate) const MOST: usize = 1 << 20;
/// Times from which a line counts as slow, and below which as fast.
const SLOW: Duration = Duration::from_secs(2);
const FAST: Duration = Duration::from_millis(500);

/// Returns the number of bytes to request after so many took this long.
pub(crate) fn next(bytes: usize, took: Duration) -> usize {
    match took {
        took if took < FAST => (bytes * 2).min(MOST),
        took if took > SLOW => (bytes / 2).max(LEAST),
        _ => bytes,
    }
}

/// The number of bytes to request for the pages of an engine, which come on one connection.
#[derive(Debug)]
pub(crate) struct PageSize(AtomicUsize);

impl Default for PageSize {
    fn default() -> Self {
        Self(AtomicUsize::new(FIRST))
    }
}

impl PageSize {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Adjusts the number after so many requested bytes took this long. A fast small request does not raise it.
    pub(crate) fn took(&self, bytes: usize, took: Duration) {
        let before = self.bytes();
        let after = next(before, took);
        if after < before || bytes == before {
            // Another page may have changed it meanwhile: either value will do.
            self.0.store(after, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_shrinks_over_a_slow_line_and_grows_over_a_fast_one() {
        let size = PageSize::default();
        for _ in 0..10 {
            size.took(size.bytes(), Duration::from_millis(1));
        }
        assert_eq!(size.bytes(), MOST);
        size.took(1000, Duration::from_millis(1));
        size.took(1000, Duration::from_secs(1));
        assert_eq!(size.bytes(), MOST);
        for _ in 0..10 {
            size.took(1000, Duration::from_secs(3));
        }
        assert_eq!(size.bytes(), LEAST);
    }
}
