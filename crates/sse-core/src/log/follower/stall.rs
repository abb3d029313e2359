use std::time::{Duration, Instant};

/// The longest and, by default, the shortest time.
const STALLED: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(20));
/// How soon it is looked whether there is nothing to bring.
const HASTE: Duration = Duration::from_millis(500);

/// How long a follower may be behind without getting anything before it is made again.
pub(crate) struct Stall {
    at_first: Duration,
    now: Duration,
}

impl Stall {
    pub(crate) fn new(check_every: Duration) -> Self {
        let at_first = check_every.min(STALLED.1);
        Self { at_first, now: at_first }
    }

    pub(crate) fn time(&self) -> Duration {
        self.now
    }

    /// It was in vain: what it waits for may be large, and the line slow.
    pub(crate) fn lengthen(&mut self) {
        self.now = (self.now * 2).min(STALLED.0);
    }

    pub(crate) fn reset(&mut self) {
        self.now = self.at_first;
    }
}

/// Since when a follower has brought nothing though there is something.
pub(crate) struct Lag {
    since: Instant,
    /// Whether it says that it has nothing to bring: it is looked soon whether that is so.
    is_hasty: bool,
    has_been_looked_at: bool,
}

impl Lag {
    pub(crate) fn new(since: Instant) -> Self {
        Self { since, is_hasty: false, has_been_looked_at: false }
    }

    /// The follower has brought a page without events.
    pub(crate) fn hasten(&mut self) {
        self.is_hasty = !self.has_been_looked_at;
    }

    /// There is something that it could bring.
    pub(crate) fn confirmed(self) -> Self {
        Self { is_hasty: false, has_been_looked_at: true, ..self }
    }

    pub(crate) fn due(&self, stalled: Duration) -> Instant {
        let soon = if self.is_hasty { HASTE } else { stalled };
        self.since + soon.min(stalled)
    }

    pub(crate) fn is_hasty(&self) -> bool {
        self.is_hasty
    }
}
