//! Timer without a runtime: one thread for all sleeps of a file.
//!
//! Nearly all sleeps are timeouts that are dropped before they end. Sleeps of the same duration end at the same few moments, so that starting and
//! dropping a sleep wakes no thread.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::clock::millis;

/// Number of moments within a duration at which sleeps end, and the longest time between two moments, in milliseconds.
const STEPS: u64 = 32;
const LONGEST_STEP: u64 = 250;

/// Timer thread, and the tasks that sleep.
#[derive(Debug)]
pub(crate) struct TimerThread {
    begun: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Sleeping tasks by the moment, in milliseconds since the start, and a unique number.
    waiting: BTreeMap<(u64, u64), Waker>,
    number: u64,
    /// Moment for which the thread waits.
    next: u64,
    is_closed: bool,
}

impl TimerThread {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Returns a future that completes after this duration, and at most a thirtieth of the duration later.
    pub(crate) fn sleep(self: &Arc<Self>, duration: Duration) -> Sleep {
        let duration = millis(duration);
        let apart = (duration / STEPS).clamp(1, LONGEST_STEP);
        // The current millisecond has already begun.
        let end = self.now().saturating_add(1).saturating_add(duration);
        let due = end.div_ceil(apart).saturating_mul(apart);
        Sleep { timer: Arc::clone(self), due, number: None }
    }

    /// Wakes the sleeping tasks, until the timer is closed.
    pub(crate) fn run(&self) {
        let mut state = self.lock();
        while !state.is_closed {
            let now = self.now();
            let later = state.waiting.split_off(&(now + 1, 0));
            let due = std::mem::replace(&mut state.waiting, later);
            if !due.is_empty() {
                drop(state);
                due.into_values().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            state.next = state.waiting.first_key_value().map_or(u64::MAX, |(first, _)| first.0);
            let end = Duration::from_millis(state.next.saturating_sub(now).min(3_600_000));
            let waited = self.changed.wait_timeout(state, end);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.next = 0;
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn now(&self) -> u64 {
        millis(self.begun.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sleep.
#[derive(Debug)]
pub(crate) struct Sleep {
    timer: Arc<TimerThread>,
    due: u64,
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timer = Arc::clone(&self.timer);
        if timer.now() >= self.due {
            return Poll::Ready(());
        }
        let mut state = timer.lock();
        if state.is_closed {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            state.number += 1;
            state.number
        });
        let is_first = self.due < state.next;
        let unneeded = state.waiting.insert((self.due, number), cx.waker().clone());
        drop(state);
        drop(unneeded);
        if is_first {
            timer.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let unneeded = self.timer.lock().waiting.remove(&(self.due, number));
            drop(unneeded);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::future::{join_all, select};

    use super::*;

    #[test]
    fn each_sleep_takes_its_duration_and_at_most_5_s_more() {
        let timer = Arc::new(TimerThread::new());
        let thread = std::thread::spawn({
            let timer = Arc::clone(&timer);
            move || timer.run()
        });
        let durations = [0, 1, 40, 20, 200, 5].map(Duration::from_millis);
        let took = block_on(join_all(durations.map(|duration| {
            let timer = &timer;
            async move {
                let begun = Instant::now();
                let long = timer.sleep(Duration::from_secs(60));
                select(long, timer.sleep(duration)).await;
                (duration, begun.elapsed())
            }
        })));
        for (duration, took) in took {
            assert!(took >= duration && took < duration + Duration::from_secs(5), "{took:?}");
        }
        assert!(timer.lock().waiting.is_empty(), "dropped sleeps are removed");
        timer.close();
        thread.join().expect("no panic");
    }
}
