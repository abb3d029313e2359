//! The turns of the logs of a merge. A wake names its log, so that the others are not polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};

use futures_util::task::AtomicWaker;

/// The turns, as one bit for each log: an id has room for far fewer than 64.
pub(super) struct Turns {
    shared: Arc<Shared>,
    wakers: Vec<Waker>,
    /// The logs that may have events.
    due: u64,
    /// The first log to consider for the next turn.
    from: u32,
}

/// The state that the wakers of the logs share.
#[derive(Default)]
struct Shared {
    woken: AtomicU64,
    stream: AtomicWaker,
}

struct OfLog {
    shared: Arc<Shared>,
    bit: u64,
}

impl Wake for OfLog {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.woken.fetch_or(self.bit, Ordering::AcqRel);
        self.shared.stream.wake();
    }
}

impl Turns {
    /// Returns the turns of this many logs, each of which is due.
    pub(super) fn of(logs: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let bits = (0..logs as u32).map(|log| 1 << log);
        let due = bits.clone().sum();
        let of_log = |bit| Waker::from(Arc::new(OfLog { shared: Arc::clone(&shared), bit }));
        Self { wakers: bits.map(of_log).collect(), shared, due, from: 0 }
    }

    /// Takes the logs that were woken, and registers the stream to be woken for the next.
    pub(super) fn begin(&mut self, cx: &Context<'_>) {
        self.shared.stream.register(cx.waker());
        self.due |= self.shared.woken.swap(0, Ordering::AcqRel);
    }

    /// Returns the next log that is due.
    pub(super) fn next(&mut self) -> Option<usize> {
        let later = self.due & (u64::MAX << self.from);
        let bits = if later == 0 { self.due } else { later };
        let log = bits.trailing_zeros();
        self.from = (log + 1) % u64::BITS;
        (bits != 0).then_some(log as usize)
    }

    /// Returns the waker of this log.
    pub(super) fn waker(&self, log: usize) -> &Waker {
        &self.wakers[log]
    }

    /// Ends the turns of a log, which has no event until it wakes the stream.
    pub(super) fn is_over(&mut self, log: usize) {
        self.due &= !(1 << log);
    }
}
