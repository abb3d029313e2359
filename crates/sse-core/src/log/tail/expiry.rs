//! The times at which the events of a tail came, and the events that are too old.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use crate::Position;
use crate::log::options::LogOptions;

/// The times at which events came, in a log that keeps events only for some time, or that was told to know their times.
#[derive(Debug)]
pub(crate) struct Ages {
    /// The time for which events are kept, if it is limited.
    limit: Option<Duration>,
    /// The newest moment that has become too old. Its last event may still be kept, if it is the newest of all.
    expired: Option<Moment>,
    /// The time within which events count as one moment, and the shortest that it can be.
    length: Duration,
    shortest: Duration,
    /// The moments, oldest first.
    moments: VecDeque<Moment>,
}

/// Events that came at about the same time.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// The times of the first and of the last.
    begin: Instant,
    end: Instant,
    /// The last.
    newest: Position,
}

/// The number of moments within the limit; none is shorter than 1 ms.
const MOMENTS: u32 = 1024;
/// More moments than there are at any time. It bounds the memory of a log without a limit, and that for events that were replaced.
const MOST: usize = 2 * MOMENTS as usize;

impl Ages {
    /// Returns the times that a log with these options keeps, if any.
    pub(crate) fn of(options: &LogOptions) -> Option<Box<Self>> {
        (options.keeps_times || options.age.is_some()).then(|| Box::new(Self::new(options.age)))
    }

    fn new(limit: Option<Duration>) -> Self {
        let shortest = (limit.unwrap_or_default() / MOMENTS).max(Duration::from_millis(1));
        Self { limit, expired: None, length: shortest, shortest, moments: VecDeque::new() }
    }

    /// Returns the same limit, without events.
    pub(crate) fn emptied(self) -> Self {
        Self::new(self.limit)
    }

    /// Returns true if an event can become too old.
    pub(crate) fn are_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Records that an event has come.
    pub(crate) fn push(&mut self, newest: Position, now: Instant) {
        if self.moments.len() < MOST / 4 {
            self.length = (self.length / 2).max(self.shortest);
        }
        self.add(Moment { begin: now, end: now, newest });
        while self.moments.len() >= MOST {
            self.length = self.length.saturating_mul(2);
            mem::take(&mut self.moments).into_iter().for_each(|moment| self.add(moment));
        }
    }

    fn add(&mut self, moment: Moment) {
        match self.moments.back_mut() {
            Some(last) if moment.end.saturating_duration_since(last.begin) < self.length => {
                (last.end, last.newest) = (moment.end, moment.newest);
            }
            _ => self.moments.push_back(moment),
        }
    }

    /// Returns the newest event that is too old by now, or the start if there is none.
    pub(crate) fn expired(&mut self, now: Instant) -> Position {
        while let (Some(limit), Some(moment)) = (self.limit, self.moments.front())
            && now.saturating_duration_since(moment.begin) > limit
        {
            self.expired = self.moments.pop_front();
        }
        self.expired.map_or(Position::START, |moment| moment.newest)
    }

    /// Returns a position before all events that came within this time by now. It is the newest older event, if no event that came within the time is of
    /// the same moment.
    pub(crate) fn before_since(&self, age: Duration, now: Instant) -> Position {
        let is_older = |moment: &Moment| now.saturating_duration_since(moment.end) > age;
        let later = self.moments.partition_point(is_older);
        let before = later.checked_sub(1).and_then(|before| self.moments.get(before)).copied();
        let before = before.or_else(|| self.expired.filter(is_older));
        before.map_or(Position::START, |moment| moment.newest)
    }

    /// Forgets the events up to this one, which are no longer kept.
    pub(crate) fn drop_upto(&mut self, position: Position) {
        while self.moments.front().is_some_and(|moment| moment.newest <= position) {
            self.moments.pop_front();
        }
    }
}

/// The result of dropping old events: all of them, or some.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes events that come so many milliseconds one after the other. Returns their times.
    fn push(ages: &mut Ages, times: &mut Vec<Instant>, count: usize, step: Duration) {
        for _ in 0..count {
            let now = times.last().map_or_else(Instant::now, |last| *last + step);
            times.push(now);
            ages.push(Position::from(times.len() as u64), now);
            assert!(ages.moments.len() < MOST);
        }
    }

    /// Checks that nothing that came within this time is left out, and that nothing else is given, except what came up to `slack` before.
    #[track_caller]
    fn check(ages: &Ages, times: &[Instant], age: Duration, slack: Duration) {
        let now = *times.last().expect("an event");
        let before = ages.before_since(age, now).lo() as usize;
        let older = |age| times.iter().filter(|time| now - **time > age).count();
        assert!((older(age + slack)..=older(age)).contains(&before), "{before} for {age:?}");
    }

    #[test]
    fn the_times_of_many_events_take_a_bounded_room_and_are_about_exact() {
        let (second, millisecond) = (Duration::from_secs(1), Duration::from_millis(1));
        for step in [Duration::ZERO, Duration::from_micros(3), millisecond, second, 3600 * second] {
            let (mut ages, mut times) = (Ages::new(None), Vec::new());
            push(&mut ages, &mut times, 50_000, step);
            let span = step * 50_000;
            for part in [0, 1, 100, 10_000, 25_000, 49_000, 50_000] {
                check(&ages, &times, part * step, span / 256 + millisecond);
            }
        }
    }

    #[test]
    fn the_times_are_exact_again_once_the_log_has_dropped_a_long_time() {
        let second = Duration::from_secs(1);
        let (mut ages, mut times) = (Ages::new(None), Vec::new());
        push(&mut ages, &mut times, 10_000, second);
        ages.drop_upto(Position::from(9_999));
        push(&mut ages, &mut times, 1000, second / 1000);
        check(&ages, &times, second / 10, second / 500);
    }
}
