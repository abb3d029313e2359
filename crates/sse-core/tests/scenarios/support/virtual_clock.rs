use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use sse_core::Timer;

/// A clock that a simulation moves on.
#[derive(Clone)]
pub(crate) struct VirtualClock(Arc<Mutex<State>>);

struct State {
    now: Instant,
    /// The sleeping tasks, by the time at which each is due, and a number of its own.
    sleepers: BTreeMap<(Instant, u64), Waker>,
    count: u64,
}

impl VirtualClock {
    pub(crate) fn new() -> Self {
        let state = State { now: Instant::now(), sleepers: BTreeMap::new(), count: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn timer(&self) -> Timer {
        let (now, sleep) = (self.clone(), self.clone());
        Timer::new(move || now.now(), move |duration| sleep.sleep(duration))
    }

    pub(crate) fn now(&self) -> Instant {
        self.lock().now
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let until = self.now() + time;
        self.pass_until(until);
    }

    /// Lets time pass until the next sleeper is due, if that is no later than this.
    pub(crate) fn pass_to_next(&self, until: Instant) -> bool {
        let next = self.lock().sleepers.keys().next().map(|(due, _)| *due);
        let Some(due) = next.filter(|due| *due <= until) else { return false };
        self.pass_until(due);
        true
    }

    fn pass_until(&self, until: Instant) {
        let mut state = self.lock();
        state.now = state.now.max(until);
        let later = state.sleepers.split_off(&(until, u64::MAX));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.lock();
        state.count += 1;
        Sleep { due: (state.now + duration, state.count), clock: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("not poisoned")
    }
}

struct Sleep {
    due: (Instant, u64),
    clock: VirtualClock,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.due.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.due, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let removed = self.clock.lock().sleepers.remove(&self.due);
        drop(removed);
    }
}
