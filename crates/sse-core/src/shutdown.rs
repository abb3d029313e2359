// Longer than other files: its methods are few, and each has its example.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sync::wakers::Wakers;
use crate::sync::{AtomicU8, Mutex, MutexGuard, Ordering, PoisonError, thread};

mod waiter;

pub(crate) use waiter::{Close, OpenStream};

/// A handle that ends streams after whole frames, and is notified when they have ended.
///
/// A graceful shutdown waits for every response, and an event stream has no end: unless the streams are ended first, the server
/// hangs for ever, or cuts them off. Every [`EventLog`](crate::EventLog) has a shutdown ([`EventLog::shutdown`](crate::EventLog::shutdown));
/// [`Feed::shutdown`](crate::Feed::shutdown) adds one to any other stream. A clone is the same shutdown.
///
/// A shutdown that has begun stays begun: a stream opened later ends after its first line. Each stream ends with a `retry:` line with
/// jitter, so that clients come back at different moments; they resume where they were. With [`drain`](Shutdown::drain) the streams end one
/// after another.
///
/// ```
/// use sse_core::Shutdown;
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let shutdown = Shutdown::new();
/// shutdown.begin();
/// shutdown.drained().await;
/// assert_eq!(shutdown.open_streams(), 0);
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// A copy of the state: every stream reads it at every poll, without the lock.
    phase: AtomicU8,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: Option<Instant>,
    /// The end of the window in which the streams end, if it has begun.
    drained_at: Option<Instant>,
    /// The graces, each with a thread that keeps its time.
    timed: BTreeSet<Duration>,
    open: usize,
    waiting: Wakers,
}

/// The phases of a shutdown.
const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const BEGUN: u8 = 2;

impl Shutdown {
    /// Returns a shutdown that has not begun.
    ///
    /// ```
    /// assert!(!sse_core::Shutdown::new().has_begun());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every open stream, and every stream opened later.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// log.shutdown().begin();
    /// assert!(log.shutdown().has_begun());
    /// ```
    #[doc(alias("close", "stop"))]
    pub fn begin(&self) {
        let mut state = self.lock();
        state.begun.get_or_insert_with(Instant::now);
        self.0.phase.store(BEGUN, Ordering::Release);
        let woken = state.waiting.take();
        drop(state);
        woken.wake();
    }

    /// Returns a future that waits for this signal, begins the shutdown, and is then ready. Pass it to the graceful shutdown of a server.
    ///
    /// ```
    /// # use sse_core::EventLog;
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let log = EventLog::in_memory(1000);
    /// # let signal = async {};
    /// // `let signal = tokio::signal::ctrl_c();`
    /// let ended = log.shutdown().begin_after(signal);
    /// // axum::serve(listener, app).with_graceful_shutdown(ended)
    /// # ended.await;
    /// assert!(log.shutdown().has_begun());
    /// # }).unwrap();
    /// ```
    #[doc(alias = "graceful")]
    pub fn begin_after<F: Future>(&self, signal: F) -> impl Future<Output = ()> + use<F> {
        let shutdown = self.clone();
        async move {
            signal.await;
            shutdown.begin();
        }
    }

    /// Ends the open streams one after another over this window, and each stream that is opened meanwhile at once. Then it
    /// [begins](Shutdown::begin): once the window is over, or as soon as no stream is open.
    ///
    /// So the clients of many streams come back to other processes over a while, and not all at the same moment. The streams end at random moments of
    /// the window. A thread keeps the time.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = || Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// # use futures_util::StreamExt;
    /// let log = EventLog::in_memory(1000);
    /// let open = StreamResponse::new(&request, &log, timer());
    /// log.shutdown().drain(Duration::from_secs(20));
    /// let late = StreamResponse::new(&request, &log, timer());
    ///
    /// assert_eq!(late.body.count().await, 2, "its first lines, and the time to come back");
    /// assert!(!log.shutdown().has_begun());
    /// open.body.count().await; // some time within the 20 s
    /// assert!(log.shutdown().has_begun(), "no stream is open");
    /// # });
    /// ```
    pub fn drain(&self, window: Duration) {
        let mut state = self.lock();
        if state.begun.is_some() || state.drained_at.is_some() {
            return;
        }
        state.drained_at = Instant::now().checked_add(window);
        if state.open == 0 || state.drained_at.is_none() || window.is_zero() {
            drop(state);
            return self.begin();
        }
        self.0.phase.store(DRAINING, Ordering::Release);
        let woken = state.waiting.take();
        drop(state);
        let shutdown = self.clone();
        let keep_time = move || {
            thread::sleep(window);
            shutdown.begin();
        };
        let spawned = thread::Builder::new().name("sse-drain".into()).spawn(keep_time);
        woken.wake();
        if let Err(error) = spawned {
            tracing::warn!(%error, "the system gave no thread to keep the time of a shutdown: all streams end at once");
            self.begin();
        }
    }

    /// Returns a future that waits for this signal, [drains](Shutdown::drain) the streams over this window, and is then ready. Pass it to the
    /// graceful shutdown of a server in place of [`begin_after`](Shutdown::begin_after).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sse_core::EventLog;
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let log = EventLog::in_memory(1000);
    /// # let signal = async {};
    /// // `let signal = tokio::signal::ctrl_c();`
    /// let ended = log.shutdown().drain_after(signal, Duration::from_secs(20));
    /// // axum::serve(listener, app).with_graceful_shutdown(ended)
    /// # ended.await;
    /// assert!(log.shutdown().has_begun(), "no stream was open");
    /// # }).unwrap();
    /// ```
    pub fn drain_after<F: Future>(
        &self,
        signal: F,
        window: Duration,
    ) -> impl Future<Output = ()> + use<F> {
        let shutdown = self.clone();
        async move {
            signal.await;
            shutdown.drain(window);
            shutdown.begun().await;
        }
    }

    /// Returns true if the shutdown has begun.
    ///
    /// ```
    /// let shutdown = sse_core::Shutdown::new();
    /// shutdown.clone().begin();
    /// assert!(shutdown.has_begun());
    /// ```
    pub fn has_begun(&self) -> bool {
        self.phase() == BEGUN
    }

    /// Waits until the shutdown has begun. Cancel safe.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let shutdown = sse_core::Shutdown::new();
    /// let ((), begun) = futures_util::join!(async { shutdown.begin() }, async { shutdown.begun().await; true });
    /// assert!(begun);
    /// # }).unwrap();
    /// ```
    pub async fn begun(&self) {
        self.until(|state| state.begun.is_some()).await;
    }

    /// Waits until the shutdown has begun and every stream has ended. Cancel safe.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let response = StreamResponse::new(&request, &log, timer);
    /// log.shutdown().begin();
    /// response.text().await;
    /// log.shutdown().drained().await;
    /// assert_eq!(log.shutdown().open_streams(), 0);
    /// # }).unwrap();
    /// ```
    pub async fn drained(&self) {
        self.until(|state| state.begun.is_some() && state.open == 0).await;
    }

    /// Waits until the shutdown has begun, and then for this time: the bound for a server whose clients may stall. Cancel safe.
    ///
    /// A client that has stopped reading holds its connection open, and so delays the server's graceful shutdown:
    ///
    /// ```
    /// # use std::{future, io, time::Duration};
    /// # use sse_core::EventLog;
    /// # async fn example(log: EventLog, server: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    /// tokio::select! {
    ///     result = server => result,
    ///     () = log.shutdown().grace_over(Duration::from_secs(10)) => Ok(()),
    /// }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let (log, server) = (EventLog::in_memory(1), future::ready(Ok(())));
    /// assert!(example(log, server).await.is_ok());
    /// # });
    /// ```
    ///
    /// A thread, started when the shutdown begins, keeps the time: a runtime that is busy ending does not delay it.
    pub async fn grace_over(&self, grace: Duration) {
        self.begun().await;
        if let Err(error) = self.keep_time_of(grace) {
            // Too early is better than never.
            tracing::warn!(%error, "the system gave no thread to keep the time of a shutdown: its grace is over at once");
            return;
        }
        self.until(|state| state.elapsed() >= grace).await;
    }

    /// Starts a thread that wakes the waiters once this grace is over: one thread for each grace, however often it is requested.
    fn keep_time_of(&self, grace: Duration) -> io::Result<()> {
        let mut state = self.lock();
        if state.elapsed() >= grace || !state.timed.insert(grace) {
            return Ok(());
        }
        drop(state);
        let shutdown = self.clone();
        let keep_time = move || {
            loop {
                let rest = grace.saturating_sub(shutdown.lock().elapsed());
                if rest.is_zero() {
                    break;
                }
                thread::sleep(rest);
            }
            let woken = shutdown.lock().waiting.take();
            woken.wake();
        };
        let spawned = thread::Builder::new().name("sse-shutdown".into()).spawn(keep_time);
        if spawned.is_err() {
            self.lock().timed.remove(&grace);
        }
        spawned.map(drop)
    }

    /// Returns the number of open streams.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let response = StreamResponse::new(&request, &log, timer);
    /// assert_eq!(log.shutdown().open_streams(), 1);
    /// drop(response);
    /// assert_eq!(log.shutdown().open_streams(), 0);
    /// ```
    pub fn open_streams(&self) -> usize {
        self.lock().open
    }

    /// Returns true if both are the same shutdown.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn phase(&self) -> u8 {
        self.0.phase.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Shutdown")
            .field("begun", &state.begun.is_some())
            .field("open", &state.open)
            .finish()
    }
}

impl State {
    /// Returns the time since the shutdown began; zero before that.
    fn elapsed(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }
}
