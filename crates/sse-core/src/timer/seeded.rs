use std::time::{Duration, Instant};

use super::{Alarm, Clock, Sleep, Timer};
use crate::random::Random;

/// A timer with random numbers of its own.
pub(super) struct Seeded {
    timer: Timer,
    random: Random,
}

impl Seeded {
    pub(super) fn new(timer: Timer, seed: u64) -> Self {
        Self { timer, random: Random::seeded(seed) }
    }
}

impl Clock for Seeded {
    fn now(&self) -> Instant {
        self.timer.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.timer.sleep(duration)
    }

    fn alarm(&self, now: Instant, rest: Duration, step: Duration) -> Alarm {
        self.timer.alarm(now, rest, step)
    }

    fn random(&self) -> &Random {
        &self.random
    }
}
