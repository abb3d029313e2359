use std::time::{Duration, Instant};

/// The longest time, and the default of the shortest.
const STALLED: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(20));
/// The time after which a follower without events checks whether there is an event to bring.
const HASTE: Duration = Duration::from_millis(500);

/// The time for which a follower may be behind and get no event, before following begins again.
pub(crate) struct Stall {
    at_first: Duration,
    now: Duration,
}

impl Stall {
    pub(crate) fn new(check_every: Duration) -> Self {
        let at_first = check_every.min(STALLED.1);
        Self { at_first, now: at_first }
    }

    /// Returns the time for a follower that took so long to begin: beginning again must not take most of the time, as it would over a slow line.
    pub(crate) fn after_beginning(&self, took: Duration) -> Duration {
        (2 * took).min(STALLED.0).max(self.now)
    }

    /// Doubles the time, because the last attempt brought no event: the event may be large, and the connection slow.
    pub(crate) fn lengthen(&mut self) {
        self.now = (self.now * 2).min(STALLED.0);
    }

    pub(crate) fn reset(&mut self) {
        self.now = self.at_first;
    }
}

/// The time since which a follower has brought no event though there is one.
pub(crate) struct Lag {
    since: Instant,
    /// True if the store gave a page without events: the follower soon checks whether there is an event to bring.
    is_hasty: bool,
    is_confirmed: bool,
}

impl Lag {
    pub(crate) fn new(since: Instant) -> Self {
        Self { since, is_hasty: false, is_confirmed: false }
    }

    /// Records that the store gave a page without events.
    pub(crate) fn hasten(&mut self) {
        self.is_hasty = !self.is_confirmed;
    }

    /// Records that there is an event to bring.
    pub(crate) fn confirmed(self) -> Self {
        Self { is_hasty: false, is_confirmed: true, ..self }
    }

    pub(crate) fn due(&self, stalled: Duration) -> Instant {
        let soon = if self.is_hasty { HASTE } else { stalled };
        self.since + soon.min(stalled)
    }

    pub(crate) fn is_hasty(&self) -> bool {
        self.is_hasty
    }
}
