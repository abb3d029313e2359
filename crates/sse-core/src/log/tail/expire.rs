//! Events of a tail grow old.

use std::time::Instant;

use crate::log::tail::Tail;

/// Whether all that is too old was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    All,
    Some,
}

impl Expired {
    pub(crate) fn is_all(self) -> bool {
        self == Self::All
    }
}

/// How many events are dropped at a time of those that are too old.
const EXPIRED_AT_ONCE: usize = 1000;

impl Tail {
    /// The newest event came now.
    pub(crate) fn came(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(ages) = &mut self.ages {
            ages.push(self.newest, now());
        }
    }

    /// Drops what is too old by now, some of it.
    pub(crate) fn expire(&mut self, now: impl FnOnce() -> Instant) -> Expired {
        let Some(ages) = &mut self.ages else { return Expired::All };
        let expired = ages.expired(now());
        for _ in 0..EXPIRED_AT_ONCE {
            if self.len <= 1 || self.oldest().is_none_or(|oldest| oldest > expired) {
                return Expired::All;
            }
            self.let_go();
        }
        Expired::Some
    }
}
