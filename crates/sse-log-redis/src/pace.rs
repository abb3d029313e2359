use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_core::store::PageLimit;

use crate::bounds::State;

/// No answer of Redis has more than this many bytes, but for a single event. `XRANGE` counts events alone.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many events are asked for as long as nothing is known of them.
const AT_FIRST: usize = 16;
/// A page that takes longer than this is one of too many events, and one that comes sooner than that of too few.
const SLOW: Duration = Duration::from_secs(2);
const FAST: Duration = Duration::from_millis(500);

/// How many events to ask for at a time: as many as are likely to fit into a page, and as come in time over this line.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How large events are: those read last, or all there are.
    average: AtomicUsize,
    largest: AtomicUsize,
    /// How many come in time.
    most: AtomicUsize,
}

impl Default for Pace {
    fn default() -> Self {
        let (average, largest) = Default::default();
        Self { average, largest, most: AtomicUsize::new(usize::MAX) }
    }
}

impl Pace {
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
        likely.min(surely).min(limit.events).min(self.most.load(Relaxed)).max(1)
    }

    /// Takes note of what there is.
    pub(crate) fn learn(&self, state: &State) {
        if let (0, Some(average)) =
            (self.average.load(Relaxed), state.bytes.checked_div(state.events))
        {
            self.average.store(average, Relaxed);
        }
        self.largest.store(state.largest, Relaxed);
    }

    /// A page of so many events and bytes has come, after so long.
    pub(crate) fn came(&self, asked: usize, (count, bytes): (usize, usize), after: Duration) {
        if let Some(average) = bytes.checked_div(count) {
            self.average.store(average.max(1), Relaxed);
        }
        let most = self.most.load(Relaxed);
        if after > SLOW {
            self.most.store((asked / 2).max(1), Relaxed);
        } else if after < FAST && asked >= most {
            self.most.store(most.saturating_mul(2), Relaxed);
        }
    }

    /// A page has not come in time: the next is of one event.
    pub(crate) fn came_not(&self) {
        self.most.store(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

    #[test]
    fn no_answer_is_large_whatever_came_before() {
        let pace = Pace::default();
        assert_eq!(pace.count(LIMIT), AT_FIRST);
        pace.largest.store(128, Relaxed);
        pace.came(16, (100, 12_800), Duration::ZERO);
        assert_eq!(pace.count(LIMIT), 513);
        pace.largest.store(1024 * 1024, Relaxed);
        assert_eq!(pace.count(LIMIT), 16);
        pace.largest.store(1 << 30, Relaxed);
        assert_eq!(pace.count(LIMIT), 1);
    }

    #[test]
    fn a_slow_line_is_asked_for_fewer_and_one_that_is_fast_again_for_more() {
        let pace = Pace::default();
        pace.largest.store(128, Relaxed);
        pace.came(16, (100, 12_800), Duration::ZERO);
        pace.came(513, (513, 65_664), Duration::from_secs(3));
        assert_eq!(pace.count(LIMIT), 256, "the half");
        pace.came_not();
        assert_eq!(pace.count(LIMIT), 1, "from the beginning");
        pace.came(1, (1, 128), Duration::from_secs(1));
        assert_eq!(pace.count(LIMIT), 1, "it is as fast as it can be");
        pace.came(1, (1, 128), Duration::ZERO);
        pace.came(2, (2, 256), Duration::ZERO);
        assert_eq!(pace.count(LIMIT), 4);
    }
}
