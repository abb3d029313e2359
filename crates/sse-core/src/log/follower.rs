use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, join3, select};
use futures_util::{StreamExt, pin_mut};
use sync_wrapper::SyncWrapper;

use crate::log::{EventLog, Shared, reads};
use crate::store::{Page, Pages, Retention, Store, StoreError, StoredEvent};
use crate::{BoxError, Timer};

/// How long a follower waits before it tries again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// How often the store is asked to let go of what is over the limits.
const RETAIN_EVERY: Duration = Duration::from_secs(10);

/// What brings the events of a store into the log of this process: a future that runs for as long as the log is in use.
///
/// There is one for each log and process, whatever the number of clients. Spawn it on the runtime; until it runs no client gets
/// anything, and [`LogStats::is_followed`](crate::LogStats::is_followed) is false. It ends when the last handle of the log is dropped. Where the
/// store fails it says so to `tracing`, and tries again.
///
/// # Cancel safety
///
/// Dropping it stops the log's streams, and loses nothing: they stay open, and their clients resume in another process.
#[must_use = "a log over a store stands still until its follower is spawned"]
pub struct Follower {
    run: SyncWrapper<Pin<Box<dyn Future<Output = ()> + Send>>>,
    log: Weak<Shared>,
}

impl Follower {
    pub(super) fn new(log: &EventLog, store: Arc<dyn Store>) -> Self {
        let weak = Arc::downgrade(&log.0);
        let (timer, options) = (log.0.timer.clone(), log.0.options);
        let follow = Follow { log: weak.clone(), store, timer, timeout: options.store_timeout };
        let check_every = options.store_check;
        let run = async move {
            let ended = join3(
                follow.run(check_every),
                reads::run(&follow),
                follow.retain(options.retention()),
            );
            drop(ended.await);
        };
        Self { run: SyncWrapper::new(Box::pin(run)), log: weak }
    }
}

impl Future for Follower {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(log) = self.log.upgrade().map(EventLog) else { return Poll::Ready(()) };
        let mut state = log.lock();
        let unneeded = state.behind.as_mut().and_then(|behind| {
            behind.is_followed = true;
            behind.follower_waits(cx.waker())
        });
        drop(state);
        drop(unneeded);
        drop(log);
        self.run.get_mut().as_mut().poll(cx)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(log) = self.log.upgrade().map(EventLog)
            && let Some(behind) = &mut log.lock().behind
        {
            behind.is_followed = false;
        }
    }
}

/// What the parts of a follower have in common. None of them holds the log: it ends with its last handle.
pub(super) struct Follow {
    log: Weak<Shared>,
    pub(super) store: Arc<dyn Store>,
    pub(super) timer: Timer,
    timeout: Duration,
}

/// The log is in use no more.
pub(super) struct Unused;

impl Follow {
    pub(super) fn log(&self) -> Result<EventLog, Unused> {
        self.log.upgrade().map(EventLog).ok_or(Unused)
    }

    /// The answer of the store, or an error once that takes too long.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        within(&self.timer, self.timeout, call).await
    }

    async fn run(&self, check_every: Duration) -> Result<(), Unused> {
        let mut backoff = Backoff::new();
        loop {
            let before = self.log()?.stats().newest;
            if let Err(Failed::Store(error)) = self.follow(check_every).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an event log has lost its store; it tries again"
                );
            }
            if self.log()?.stats().newest != before {
                backoff = Backoff::new();
            }
            backoff.wait(&self.timer).await;
        }
    }

    /// Follows from where the log is, until that cannot go on.
    async fn follow(&self, check_every: Duration) -> Result<(), Failed> {
        self.check().await?;
        self.check_newest().await?;
        self.check_rest().await?;
        let mut newest = self.log()?.lock().tail.newest();
        let mut pages = self.within(self.store.follow(newest)).await?;
        let mut was_behind = false;
        loop {
            match self.next(&mut pages, check_every).await? {
                Next::Page(page) => {
                    if self.log()?.take_page(page) == Taken::NotFollowing {
                        return Ok(());
                    }
                    was_behind = false;
                }
                Next::End => return Ok(()),
                Next::Check => {
                    let is_behind = match self.check().await? {
                        Taken::NotFollowing => return Ok(()),
                        Taken::Behind => true,
                        Taken::UpToDate => false,
                    };
                    let stalls =
                        was_behind && is_behind && self.log()?.lock().tail.newest() == newest;
                    if stalls {
                        tracing::debug!("a follower has stalled: it is made anew");
                        return Ok(());
                    }
                    was_behind = is_behind;
                }
            }
            newest = self.log()?.lock().tail.newest();
        }
    }

    /// The next page; or the time has come to look at the bounds, or somebody wants that.
    async fn next(&self, pages: &mut Pages, check_every: Duration) -> Result<Next, Failed> {
        let due = self.timer.sleep(check_every);
        let wanted = poll_fn(|_| match self.log() {
            Ok(log) if log.is_check_wanted() => Poll::Ready(()),
            Ok(_) => Poll::Pending,
            Err(Unused) => Poll::Ready(()),
        });
        let page = pages.next();
        let check = select(due, wanted);
        pin_mut!(page, check);
        match select(page, check).await {
            Either::Left((Some(page), _)) => Ok(Next::Page(page?)),
            Either::Left((None, _)) => Ok(Next::End),
            Either::Right(_) => Ok(Next::Check),
        }
    }

    /// Asks for the bounds. Where the newest event has moved back, a new epoch begins: the ids of events that are lost must not
    /// come to name others.
    async fn check(&self) -> Result<Taken, Failed> {
        let number = self.log()?.begin_check();
        let mut bounds = self.within(self.store.bounds()).await?;
        if self.log()?.has_moved_back(&bounds) {
            tracing::warn!(newest = %bounds.newest, "the newest events of a log are gone from its store; a new epoch begins");
            self.within(self.store.begin_epoch(bounds.epoch)).await?;
            bounds = self.within(self.store.bounds()).await?;
        }
        Ok(self.log()?.end_check(number, &bounds))
    }

    /// Whether the newest event is the one we know: after a failover, or a restore, another may have been given its cursor.
    async fn check_newest(&self) -> Result<(), Failed> {
        let Some((cursor, block)) = self.log()?.newest_block() else { return Ok(()) };
        let limit = reads::LIMIT;
        let page = self.within(self.store.read(cursor.previous(), limit)).await?;
        let is_another = |event: &StoredEvent| event.cursor == cursor && event.block != block;
        if page.events.first().is_some_and(is_another) {
            tracing::warn!(%cursor, "the newest event of a log is another one in its store; a new epoch begins");
            self.within(self.store.begin_epoch(page.bounds.epoch)).await?;
            self.check().await?;
        }
        Ok(())
    }

    /// Whether there is anything after the newest event we know. Where the newest of all was deleted there is not.
    async fn check_rest(&self) -> Result<(), Failed> {
        let Some((newest, stored)) = self.log()?.newest_here_and_stored() else { return Ok(()) };
        let page = self.within(self.store.read(newest, reads::LIMIT)).await?;
        if page.events.is_empty() && page.bounds.epoch == self.log()?.lock().tail.epoch() {
            self.log()?.advance(stored);
        }
        Ok(())
    }

    async fn retain(&self, retention: Retention) -> Result<(), Unused> {
        loop {
            self.log()?;
            if let Err(error) = self.within(self.store.retain(&retention)).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a store has kept more than it was to"
                );
            }
            self.timer.sleep(RETAIN_EVERY).await;
        }
    }
}

/// What came of a page, or of a look at the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    UpToDate,
    /// The store has events that did not arrive yet.
    Behind,
    /// What comes from here on is not what follows: it must be followed anew.
    NotFollowing,
}

enum Next {
    Page(Page),
    End,
    Check,
}

enum Failed {
    Store(StoreError),
    Unused,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unused> for Failed {
    fn from(_: Unused) -> Self {
        Self::Unused
    }
}

/// Longer from time to time, and spread out, so that many processes do not come back at once.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(BACKOFF.0)
    }

    pub(super) async fn wait(&mut self, timer: &Timer) {
        timer.sleep(self.0.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        self.0 = (self.0 * 2).min(BACKOFF.1);
    }
}

/// A call, which has an unknown outcome once it takes too long.
pub(super) async fn within<T>(
    timer: &Timer,
    timeout: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    pin_mut!(call);
    match select(call, timer.sleep(timeout)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            let error: BoxError = format!("no answer within {timeout:?}").into();
            Err(StoreError::OutcomeUnknown(error))
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}
