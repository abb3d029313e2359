use std::time::{Duration, Instant};

/// The longest and, by default, the shortest time.
const STALLED: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(20));
/// How soon it is looked whether there is nothing to bring.
const HASTE: Duration = Duration::from_millis(500);

/// How long a follower may be behind without getting anything before it is made again.
pub(super) struct Stall {
    at_first: Duration,
    now: Duration,
}

impl Stall {
    pub(super) fn new(check_every: Duration) -> Self {
        let at_first = check_every.min(STALLED.1);
        Self { at_first, now: at_first }
    }

    pub(super) fn time(&self) -> Duration {
        self.now
    }

    /// It was in vain: what it waits for may be large, and the line slow.
    pub(super) fn lengthen(&mut self) {
        self.now = (self.now * 2).min(STALLED.0);
    }

    pub(super) fn reset(&mut self) {
        self.now = self.at_first;
    }
}

/// Since when a follower has brought nothing though there is something.
pub(super) struct Lag {
    since: Instant,
    /// Whether it says that it has nothing to bring: it is looked soon whether that is so.
    is_hasty: bool,
    has_been_looked_at: bool,
}

impl Lag {
    pub(super) fn new(since: Instant) -> Self {
        Self { since, is_hasty: false, has_been_looked_at: false }
    }

    /// The follower has brought a page without events.
    pub(super) fn hasten(&mut self) {
        self.is_hasty = !self.has_been_looked_at;
    }

    /// There is something that it could bring.
    pub(super) fn confirmed(self) -> Self {
        Self { is_hasty: false, has_been_looked_at: true, ..self }
    }

    pub(super) fn due(&self, stalled: Duration) -> Instant {
        let soon = if self.is_hasty { HASTE } else { stalled };
        self.since + soon.min(stalled)
    }

    pub(super) fn is_hasty(&self) -> bool {
        self.is_hasty
    }
}
