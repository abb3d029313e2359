use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_core::store::PageLimit;

use crate::log_state::LogState;

/// The limit of bytes of a reply, except if it has a single event. `XRANGE` has a limit of events only.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The number of events to request before this process knows the size of any.
const AT_FIRST: usize = 16;
/// A page that takes longer than this has too many events.
const SLOW: Duration = Duration::from_secs(2);
/// A page that takes less than this has too few events.
const FAST: Duration = Duration::from_millis(500);

/// The number of events to request at a time: as many as are likely to fit into a page, and to arrive in time over this line.
#[derive(Debug)]
pub(crate) struct PageSize {
    /// The average bytes of an event: of the events read last, or of all events of the log.
    average: AtomicUsize,
    /// The bytes of the largest event.
    largest: AtomicUsize,
    /// The number of events that arrive in time.
    most_in_time: AtomicUsize,
}

impl Default for PageSize {
    fn default() -> Self {
        let (average, largest) = Default::default();
        Self { average, largest, most_in_time: AtomicUsize::new(usize::MAX) }
    }
}

impl PageSize {
    /// Returns the number of events to request.
    pub(crate) fn count(&self, limit: PageLimit) -> usize {
        let likely = match self.average.load(Relaxed) {
            0 => AT_FIRST,
            average => (limit.bytes / average).saturating_add(1),
        };
        let surely = match self.largest.load(Relaxed) {
            0 => AT_FIRST,
            largest => MOST_BYTES / largest,
        };
        likely.min(surely).min(limit.events).min(self.most_in_time.load(Relaxed)).max(1)
    }

    /// Returns true if no more than one event arrives in time.
    pub(crate) fn is_slow(&self) -> bool {
        self.most_in_time.load(Relaxed) == 1
    }

    /// Notes the sizes of the events of the log.
    pub(crate) fn note_sizes(&self, state: &LogState) {
        if let (0, Some(average)) =
            (self.average.load(Relaxed), state.bytes.checked_div(state.events))
        {
            self.average.store(average, Relaxed);
        }
        self.largest.store(state.largest, Relaxed);
    }

    /// Notes that a page has arrived: the number of events requested, the events and bytes in it, and the time that it took.
    pub(crate) fn page_arrived(
        &self,
        requested: usize,
        (count, bytes): (usize, usize),
        took: Duration,
    ) {
        if let Some(average) = bytes.checked_div(count) {
            self.average.store(average.max(1), Relaxed);
        }
        let most = self.most_in_time.load(Relaxed);
        if took > SLOW {
            self.most_in_time.store((requested / 2).max(1), Relaxed);
        } else if took < FAST && requested >= most {
            self.most_in_time.store(most.saturating_mul(2), Relaxed);
        }
    }

    /// Notes that a page has not arrived in time: the next has one event.
    pub(crate) fn page_timed_out(&self) {
        self.most_in_time.store(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

    #[test]
    fn a_reply_is_never_too_large() {
        let page_size = PageSize::default();
        assert_eq!(page_size.count(LIMIT), AT_FIRST);
        page_size.largest.store(128, Relaxed);
        page_size.page_arrived(16, (100, 12_800), Duration::ZERO);
        assert_eq!(page_size.count(LIMIT), 513);
        page_size.largest.store(1024 * 1024, Relaxed);
        assert_eq!(page_size.count(LIMIT), 16);
        page_size.largest.store(1 << 30, Relaxed);
        assert_eq!(page_size.count(LIMIT), 1);
    }

    #[test]
    fn a_slow_line_gets_fewer_events_and_a_fast_one_more() {
        let page_size = PageSize::default();
        page_size.largest.store(128, Relaxed);
        page_size.page_arrived(16, (100, 12_800), Duration::ZERO);
        page_size.page_arrived(513, (513, 65_664), Duration::from_secs(3));
        assert_eq!(page_size.count(LIMIT), 256, "the half");
        page_size.page_timed_out();
        assert_eq!(page_size.count(LIMIT), 1, "after a timeout");
        page_size.page_arrived(1, (1, 128), Duration::from_secs(1));
        assert_eq!(page_size.count(LIMIT), 1, "neither slow nor fast");
        page_size.page_arrived(1, (1, 128), Duration::ZERO);
        page_size.page_arrived(2, (2, 256), Duration::ZERO);
        assert_eq!(page_size.count(LIMIT), 4);
    }
}
