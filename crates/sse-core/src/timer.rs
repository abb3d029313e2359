use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sync_wrapper::SyncWrapper;

mod seeded;
mod ticks;

use seeded::Seeded;
use ticks::{Tick, Ticks};

use crate::random::Random;

/// The clock of a runtime: each adapter passes its framework's clock, a test a paused one.
///
/// ```
/// use sse_core::Timer;
///
/// let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
/// assert!(timer.now() <= timer.now());
/// ```
#[derive(Clone)]
pub struct Timer(Arc<dyn Clock>);

pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Timer {
    /// Returns a timer of two functions: `now` returns the time, `sleep` a future that is ready after this time. Neither may use a log,
    /// because they are called while it is locked.
    ///
    /// ```
    /// use sse_core::Timer;
    /// use std::time::Instant;
    ///
    /// let begun = Instant::now();
    /// let stopped = Timer::new(move || begun, |_| std::future::pending());
    /// assert_eq!(stopped.now(), begun);
    /// ```
    pub fn new<N, S, F>(now: N, sleep: S) -> Self
    where
        N: Fn() -> Instant + Send + Sync + 'static,
        S: Fn(Duration) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(Functions { now, sleep }))
    }

    /// Returns the same timer for an adapter whose streams belong to a runtime: one future wakes all streams of a runtime that have been silent
    /// for too long, together, instead of a timer for each of them.
    ///
    /// `current` returns what names the runtime that calls it, or `None` outside of one; `spawn` has that runtime run a future. The future ends
    /// with the last stream that needs it. A stream that has been silent for its keep-alive is woken at most a twentieth of that time later,
    /// or 1 ms if that is longer, and never more than 1 s later.
    ///
    /// ```
    /// use sse_core::Timer;
    /// use tokio::runtime::Handle;
    ///
    /// let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep).shared_within(
    ///     || Handle::try_current().ok().map(|runtime| runtime.id()),
    ///     |future| drop(tokio::spawn(future)),
    /// );
    /// assert!(timer.now() <= timer.now());
    /// ```
    #[must_use]
    pub fn shared_within<K, C, S>(self, current: C, spawn: S) -> Self
    where
        K: Eq + Hash + Send + 'static,
        C: Fn() -> Option<K> + Send + Sync + 'static,
        S: Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    {
        Self(Arc::new(Runtimes { timer: self, current, spawn, ticks: Mutex::default() }))
    }

    /// Returns the time.
    ///
    /// ```
    /// # let timer = sse_core::Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let before = timer.now();
    /// assert!(timer.now() >= before);
    /// ```
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// Returns the same timer, with which streams draw their random times, such as the [`retry`](crate::Feed::retry) of each, from this seed:
    /// for tests that compare bytes. Without it the system seeds them.
    ///
    /// ```
    /// use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let (log, request) = (EventLog::in_memory(1000), StreamRequest::new("GET", None, []));
    /// let mut texts = Vec::new();
    /// for _ in 0..2 {
    ///     let timer = Timer::new(std::time::Instant::now, |_| std::future::pending()).seeded(7);
    ///     texts.push(StreamResponse::new(&request, &log, timer).text().await);
    /// }
    /// assert_eq!(texts[0], texts[1]);
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self(Arc::new(Seeded::new(self, seed)))
    }

    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }

    /// Multiplies a time by a random number from 0 to 1.
    pub(crate) fn part_of(&self, time: Duration) -> Duration {
        time.mul_f64(self.0.random().factor() - 0.5)
    }

    /// Multiplies a time by a random number from 0.8 to 1.
    pub(crate) fn shorten(&self, time: Duration) -> Duration {
        time.mul_f64(0.8 + 0.2 * (self.0.random().factor() - 0.5))
    }

    /// Multiplies a time by a random number from 0.5 to 1.5.
    pub(crate) fn spread(&self, time: Duration) -> Duration {
        time.mul_f64(self.0.random().factor())
    }

    /// Returns an alarm after this time, which need not be more exact than this step.
    pub(crate) fn alarm(&self, now: Instant, rest: Duration, step: Duration) -> Alarm {
        self.0.alarm(now, rest, step)
    }
}

/// What wakes a stream after a time.
pub(crate) enum Alarm {
    /// A timer of its own.
    Own(SyncWrapper<Sleep>),
    /// A tick of its runtime.
    Shared(Tick),
}

impl Alarm {
    pub(crate) fn own(sleep: Sleep) -> Self {
        Self::Own(SyncWrapper::new(sleep))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Own(sleep) => sleep.get_mut().as_mut().poll(cx),
            Self::Shared(tick) => tick.poll(cx.waker()),
        }
    }
}

trait Clock: Send + Sync {
    fn now(&self) -> Instant;
    fn sleep(&self, duration: Duration) -> Sleep;

    fn alarm(&self, _now: Instant, rest: Duration, _step: Duration) -> Alarm {
        Alarm::own(self.sleep(rest))
    }

    fn random(&self) -> &Random {
        Random::of_process()
    }
}

/// A timer whose alarms are shared by the streams of each runtime.
struct Runtimes<K, C, S> {
    timer: Timer,
    current: C,
    spawn: S,
    /// The ticks of the runtimes that have a stream.
    ticks: Mutex<HashMap<K, Arc<Ticks>>>,
}

impl<K, C, S> Clock for Runtimes<K, C, S>
where
    K: Eq + Hash + Send,
    C: Fn() -> Option<K> + Send + Sync,
    S: Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync,
{
    fn now(&self) -> Instant {
        self.timer.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.timer.sleep(duration)
    }

    fn alarm(&self, now: Instant, rest: Duration, step: Duration) -> Alarm {
        let Some(runtime) = (self.current)() else { return Alarm::own(self.sleep(rest)) };
        let mut all = self.ticks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticks) = all.get(&runtime).filter(|ticks| !ticks.are_over()) {
            return Alarm::Shared(Tick::after(Arc::clone(ticks), now, rest, step));
        }
        all.retain(|_, ticks| !ticks.are_over());
        let ticks = Arc::new(Ticks::new(now));
        let tick = Tick::after(Arc::clone(&ticks), now, rest, step);
        all.insert(runtime, Arc::clone(&ticks));
        drop(all);
        (self.spawn)(Box::pin(Arc::clone(&ticks).keep(self.timer.clone())));
        // A runtime that ends drops the future at once.
        if ticks.are_over() { Alarm::own(self.sleep(rest)) } else { Alarm::Shared(tick) }
    }

    fn random(&self) -> &Random {
        self.timer.0.random()
    }
}

struct Functions<N, S> {
    now: N,
    sleep: S,
}

impl<N, S, F> Clock for Functions<N, S>
where
    N: Fn() -> Instant + Send + Sync,
    S: Fn(Duration) -> F + Send + Sync,
    F: Future<Output = ()> + Send + 'static,
{
    fn now(&self) -> Instant {
        (self.now)()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin((self.sleep)(duration))
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}
