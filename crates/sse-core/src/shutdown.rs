use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::wakers::Wakers;
use crate::sync::{Mutex, MutexGuard, PoisonError};

mod waiter;

pub(crate) use waiter::OpenStream;
use waiter::Waiter;

/// Ends streams politely, and says when they have ended.
///
/// Graceful shutdowns wait for every response, and an event stream has no end: unless the streams are ended first, the server
/// hangs for ever, or cuts them off. Every [`EventLog`](crate::EventLog) holds one ([`EventLog::shutdown`](crate::EventLog::shutdown));
/// [`Feed::shutdown`](crate::Feed::shutdown) ties any other stream to one. A clone is the same shutdown.
///
/// Once begun it stays begun: a stream opened later ends after its first line. Ended streams have had whole frames, and a
/// `retry:` line with jitter, so that clients come back at different moments; they resume where they were.
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
    /// What `state.begun` says, to be read without the lock by every stream at every turn.
    begun: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: Option<Instant>,
    /// The graces for which a thread keeps the time.
    timed: BTreeSet<Duration>,
    open: usize,
    waiting: Wakers,
}

impl Shutdown {
    /// One that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every stream, now and from now on.
    pub fn begin(&self) {
        let mut state = self.lock();
        state.begun.get_or_insert_with(Instant::now);
        self.0.begun.store(true, Ordering::Release);
        let woken = state.waiting.take();
        drop(state);
        woken.wake();
    }

    /// Begins once this signal has come, and is ready then: what the graceful shutdown of a server takes.
    ///
    /// ```no_run
    /// # use sse_core::EventLog;
    /// # async fn example(log: EventLog) {
    /// let signal = log.shutdown().begin_after(tokio::signal::ctrl_c());
    /// // axum::serve(listener, app).with_graceful_shutdown(signal)
    /// # signal.await
    /// # }
    /// ```
    pub fn begin_after<F: Future>(&self, signal: F) -> impl Future<Output = ()> + use<F> {
        let shutdown = self.clone();
        async move {
            signal.await;
            shutdown.begin();
        }
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Ready once it has begun. Cancel safe.
    pub async fn begun(&self) {
        self.until(|state| state.begun.is_some()).await;
    }

    /// Ready once it has begun and every stream has ended. Cancel safe.
    pub async fn drained(&self) {
        self.until(|state| state.begun.is_some() && state.open == 0).await;
    }

    /// Ready this long after it has begun: the bound for a server whose clients may stall. Cancel safe.
    ///
    /// A client that has stopped reading holds its connection open, and with it the server's graceful shutdown:
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
    /// # let log = EventLog::in_memory(1);
    /// # example(log, future::ready(Ok(()))).await.unwrap();
    /// # });
    /// ```
    ///
    /// The time is kept by a thread, begun when the shutdown begins: a runtime that is busy ending does not delay it.
    pub async fn grace_over(&self, grace: Duration) {
        self.begun().await;
        if let Err(error) = self.keep_time_of(grace) {
            // Too early is better than never.
            tracing::warn!(%error, "no thread to keep the time of a shutdown: its grace is over at once");
            return;
        }
        self.until(|state| state.elapsed() >= grace).await;
    }

    /// Has those who wait woken once this grace is over, by one thread for each grace, however often it is asked for.
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

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.lock().open
    }

    /// Whether both are one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Counts a stream as open until this is dropped.
    pub(crate) fn open(&self) -> OpenStream {
        self.lock().open += 1;
        OpenStream { waiter: self.waiter(), waker: None }
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        let waiter = self.waiter();
        poll_fn(|cx| waiter.poll(cx, &condition)).await;
    }

    fn waiter(&self) -> Waiter {
        let key = self.lock().waiting.insert();
        Waiter { shutdown: self.clone(), key }
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
    /// How long ago it began; no time before that.
    fn elapsed(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }
}
