use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sse_core::StoreOptions;

/// Part of its limit that a process appends before an append drops events: a 256th.
const PARTS: usize = 256;

/// The schedule by which appends drop events over the limits. Not every append does, since that costs as much as the append itself.
#[derive(Debug)]
pub(crate) struct RetentionSchedule {
    every: (usize, usize),
    since: (AtomicUsize, AtomicUsize),
}

impl RetentionSchedule {
    pub(crate) fn new(options: &StoreOptions) -> Self {
        let every = (options.events.div_ceil(PARTS), options.bytes.div_ceil(PARTS));
        Self { every, since: Default::default() }
    }

    /// Counts an append of so many events and bytes. Returns true if this append drops events.
    pub(crate) fn is_due(&self, events: usize, bytes: usize) -> bool {
        let add = |to: &AtomicUsize, n: usize| to.fetch_add(n, Relaxed).saturating_add(n);
        let since = (add(&self.since.0, events), add(&self.since.1, bytes));
        let is_due = since.0 >= self.every.0 || since.1 >= self.every.1;
        if is_due {
            self.since.0.store(0, Relaxed);
            self.since.1.store(0, Relaxed);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_drops_events_once_for_each_256th_of_the_limit() {
        let options = StoreOptions::new().events(1024).bytes(256_000);
        let due = RetentionSchedule::new(&options);
        let dues = (0..1000).filter(|_| due.is_due(1, 1)).count();
        assert_eq!(dues, 250);
        assert!(due.is_due(1, 1000), "by bytes");
        let small = RetentionSchedule::new(&options.events(10));
        assert!((0..10).all(|_| small.is_due(1, 1)));
    }
}
