//! The alarms of all streams of one runtime, which one future keeps: streams that are due at about the same time are woken together.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker, ready};
use std::time::{Duration, Instant};

use slab::Slab;

use crate::sync::wakers::{Address, wake_all};
use crate::timer::{Sleep, Timer};

/// The streams of one runtime that wait for a moment, counted in milliseconds.
pub(super) struct Ticks {
    /// The moment from which the milliseconds count.
    origin: Instant,
    /// The newest moment for which streams were woken; [`OVER`] once nobody wakes them any more. It changes under the lock.
    woken: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// The moment up to which all were woken once the future has ended.
const OVER: u64 = u64::MAX;
/// The next moment, if all streams are about to be polled.
const NEVER: u64 = u64::MAX;

#[derive(Default)]
struct Waiting {
    /// The wakers of the streams for each moment.
    at: BTreeMap<u64, Slab<Waker>>,
    /// The number of streams that have a tick, though it may have come.
    streams: usize,
    /// The task of the future, and the moment for which it waits.
    keeper: Option<(Waker, u64)>,
}

impl Ticks {
    pub(super) fn new(origin: Instant) -> Self {
        Self { origin, woken: AtomicU64::new(0), waiting: Mutex::default() }
    }

    /// Returns true if the future that wakes the streams has ended, or was dropped with its runtime.
    pub(super) fn are_over(&self) -> bool {
        self.woken.load(Ordering::Acquire) == OVER
    }

    /// Returns a future that wakes the streams when they are due, until none is left.
    pub(super) fn keep(self: Arc<Self>, timer: Timer) -> impl Future<Output = ()> + Send {
        // A runtime that ends may drop the future before its first poll.
        let ticks = Over(self);
        let mut sleep: Option<(u64, Sleep)> = None;
        poll_fn(move |cx| {
            while let Some(next) = ticks.0.next(cx.waker()) {
                if next == NEVER {
                    return Poll::Pending;
                }
                let (_, sleeping) = match sleep.take_if(|(at, _)| *at == next) {
                    Some(same) => sleep.insert(same),
                    None => sleep.insert((next, timer.sleep(ticks.0.rest(next, timer.now())))),
                };
                ready!(sleeping.as_mut().poll(cx));
                sleep = None;
                ticks.0.wake_up_to(timer.now());
            }
            Poll::Ready(())
        })
    }

    fn rest(&self, until: u64, now: Instant) -> Duration {
        Duration::from_millis(until).saturating_sub(now.saturating_duration_since(self.origin))
    }

    /// Returns the next moment for which a stream waits, and notes the task that waits for it. If no stream is left, the ticks are over.
    fn next(&self, keeper: &Waker) -> Option<u64> {
        let mut waiting = self.lock();
        if waiting.streams == 0 {
            self.woken.store(OVER, Ordering::Release);
            return None;
        }
        let next = waiting.at.first_key_value().map_or(NEVER, |(at, _)| *at);
        waiting.keeper = Some((keeper.clone(), next));
        Some(next)
    }

    fn wake_up_to(&self, now: Instant) {
        let now = now.saturating_duration_since(self.origin).as_millis() as u64;
        let mut waiting = self.lock();
        let later = waiting.at.split_off(&(now + 1));
        let due = std::mem::replace(&mut waiting.at, later);
        self.woken.store(now, Ordering::Release);
        drop(waiting);
        wake_all(due.into_values().flatten().map(|(_, waker)| waker));
    }

    /// Removes the tick of a stream, and its waker from this place. Returns the waker, and the task to be woken if that was the last stream: its
    /// future ends.
    fn remove(&self, at: u64, key: Option<usize>) -> (Option<Waker>, Option<Waker>) {
        let waiting = &mut *self.lock();
        waiting.streams -= 1;
        let waker = key.and_then(|key| {
            let all = waiting.at.get_mut(&at)?;
            let waker = all.try_remove(key);
            if all.is_empty() {
                waiting.at.remove(&at);
            }
            waker
        });
        let keeper = waiting.keeper.take_if(|_| waiting.streams == 0);
        (waker, keeper.map(|(keeper, _)| keeper))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the ticks with the future, or with the runtime that drops it: each stream that waits looks for others.
struct Over(Arc<Ticks>);

impl Drop for Over {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        self.0.woken.store(OVER, Ordering::Release);
        let (left, keeper) = (std::mem::take(&mut waiting.at), waiting.keeper.take());
        drop(waiting);
        drop(keeper);
        wake_all(left.into_values().flatten().map(|(_, waker)| waker));
    }
}

/// The longest step, in milliseconds.
const LONGEST_STEP: u64 = 1000;

/// One stream that waits for a moment.
pub(crate) struct Tick {
    ticks: Arc<Ticks>,
    at: u64,
    /// Its place among those that wait for this moment, and its waker there.
    place: Option<(usize, Address)>,
}

impl Tick {
    /// Returns a tick after this time, at the end of a step: streams whose ticks end with the same step are woken together.
    pub(super) fn after(ticks: Arc<Ticks>, now: Instant, rest: Duration, step: Duration) -> Self {
        let at = (now.saturating_duration_since(ticks.origin) + rest).as_millis() as u64;
        let step = (step.as_millis() as u64).clamp(1, LONGEST_STEP);
        ticks.lock().streams += 1;
        Self { ticks, at: (at + 1).next_multiple_of(step), place: None }
    }

    /// Returns ready at the moment, or if nobody would wake the stream any more.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<()> {
        // No lock is taken while the stream waits.
        if self.has_come() {
            self.place = None;
            return Poll::Ready(());
        }
        if self.place.is_some_and(|(_, known)| known == Address::of(waker)) {
            return Poll::Pending;
        }
        let mut waiting = self.ticks.lock();
        if self.has_come() {
            return Poll::Ready(());
        }
        let all = waiting.at.entry(self.at).or_default();
        let unneeded = match &mut self.place {
            Some((key, known)) => {
                *known = Address::of(waker);
                Some(std::mem::replace(&mut all[*key], waker.clone()))
            }
            place => {
                *place = Some((all.insert(waker.clone()), Address::of(waker)));
                None
            }
        };
        let earlier = waiting.keeper.take_if(|(_, next)| self.at < *next);
        drop(waiting);
        drop(unneeded);
        wake_all(earlier.map(|(keeper, _)| keeper));
        Poll::Pending
    }

    fn has_come(&self) -> bool {
        self.at <= self.ticks.woken.load(Ordering::Acquire)
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        let (waker, keeper) = self.ticks.remove(self.at, self.place.map(|(key, _)| key));
        drop(waker);
        wake_all(keeper);
    }
}
