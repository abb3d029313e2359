use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }
}

trait Clock: Send + Sync {
    fn now(&self) -> Instant;
    fn sleep(&self, duration: Duration) -> Sleep;
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
