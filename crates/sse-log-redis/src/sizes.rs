use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sse_core::store::PageLimit;

/// No answer of Redis has more than this many bytes, but for a single event. `XRANGE` counts events alone.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many events are asked for as long as nothing is known of them.
const AT_FIRST: usize = 16;

/// How large the events of a log are, so that a page is what is likely to fit.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    /// Of those read last.
    average: AtomicUsize,
    /// Of all there were.
    largest: AtomicUsize,
}

impl Sizes {
    /// How many events to ask for.
    pub(crate) fn count(&self, limit: PageLimit) -> usize {
        let likely = match self.average.load(Relaxed) {
            0 => AT_FIRST,
            average => (limit.bytes / average).saturating_add(1),
        };
        let surely = match self.largest.load(Relaxed) {
            0 => AT_FIRST,
            largest => MOST_BYTES / largest,
        };
        likely.min(surely).min(limit.events).max(1)
    }

    pub(crate) fn learn(&self, count: usize, bytes: usize, largest: usize) {
        if let Some(average) = bytes.checked_div(count) {
            self.average.store(average.max(1), Relaxed);
        }
        self.largest.store(largest, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_is_large_whatever_came_before() {
        let (sizes, limit) = (Sizes::default(), PageLimit { events: 1000, bytes: 64 * 1024 });
        assert_eq!(sizes.count(limit), AT_FIRST);
        sizes.learn(100, 12_800, 128);
        assert_eq!(sizes.count(limit), 513);
        sizes.learn(100, 12_800, 1024 * 1024);
        assert_eq!(sizes.count(limit), 16);
        sizes.learn(1, 1 << 30, 1 << 30);
        assert_eq!(sizes.count(limit), 1);
    }
}
