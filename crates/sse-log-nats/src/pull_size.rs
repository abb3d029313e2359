//! The number of bytes to request at a time, which follows the speed of the line.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

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

    /// Begins a request for so many bytes. If its caller gives it up, which drops it, that counts as slow after a while.
    pub(crate) fn begin(&self, bytes: usize) -> Requested<'_> {
        Requested { size: self, bytes, begun: Instant::now() }
    }

    /// Adjusts the number after so many requested bytes did not come within this time.
    pub(crate) fn gave_up(&self, bytes: usize, after: Duration) {
        if after > SLOW {
            self.took(bytes, after);
        }
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

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct Requested<'a> {
    size: &'a PageSize,
    bytes: usize,
    begun: Instant,
}

impl Requested<'_> {
    /// Adjusts the number, once the bytes have come.
    pub(crate) fn came(self) {
        self.size.took(self.bytes, self.begun.elapsed());
        mem::forget(self);
    }
}

impl Drop for Requested<'_> {
    fn drop(&mut self) {
        self.size.gave_up(self.bytes, self.begun.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_size_shrinks_too_if_requests_are_given_up() {
        let size = PageSize::default();
        for _ in 0..10 {
            let request = async {
                let _requested = size.begin(size.bytes());
                std::future::pending::<()>().await;
            };
            _ = tokio::time::timeout(Duration::from_secs(5), request).await;
        }
        assert_eq!(size.bytes(), LEAST);
        for _ in 0..10 {
            drop(size.begin(LEAST));
        }
        assert_eq!(size.bytes(), LEAST, "what was given up at once says nothing");
    }

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
