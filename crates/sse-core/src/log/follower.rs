mod apply;
mod expected;
pub(crate) mod fetch;
mod learn;
pub(crate) mod live;
mod look;
mod queued;
mod retain;
pub(crate) mod shared;
mod slow;
mod stall;
mod trouble;
mod verify;

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_util::future::join5;
use sync_wrapper::SyncWrapper;
#[cfg(feature = "metrics")]
pub(crate) use trouble::{FOLLOWING, READING, RETAINING, STORING};

use crate::FollowerState;
use crate::log::backlog::Backlog;
use crate::log::follower::shared::Follow;
use crate::log::handle::{EventLog, Shared};
use crate::log::queue::Queue;
use crate::store::Store;

/// The future that brings the events of a store into the log of this process. It runs for as long as the log is in use.
///
/// There is one for each log and process, whatever the number of clients. Spawn it on the runtime; until it runs no client gets
/// any event, and [`LogStats::is_followed`](crate::LogStats::is_followed) is false. It ends when the last handle of the log is dropped. If the
/// store fails, it logs a warning to `tracing`, and tries again.
///
/// ```
#[doc = include_str!("../store/in_examples.txt")]
/// use sse_core::{EventLog, Follower, StoreOptions};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// # let timer = sse_core::Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
/// let (log, follower): (_, Follower) =
///     EventLog::open(VecStore::new(), StoreOptions::default(), timer).await?;
/// assert!(!log.stats().is_followed);
/// let running = tokio::spawn(follower);
/// drop(log);
/// assert!(running.await.is_ok(), "it ends with its log");
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap();
/// ```
///
/// # Cancel safety
///
/// Dropping it stops the log's streams, and loses nothing: they stay open, and their clients resume in another process.
#[must_use = "a log over a store stands still until its follower is spawned"]
pub struct Follower {
    run: SyncWrapper<Pin<Box<dyn Future<Output = ()> + Send>>>,
    log: Weak<Shared>,
    queue: Arc<Queue>,
}

impl Follower {
    pub(super) fn new(log: &EventLog, store: Arc<dyn Store>) -> Self {
        let weak = Arc::downgrade(&log.0);
        let (timer, options) = (log.0.timer.clone(), log.0.options.clone());
        let (queue, stored) = (Arc::clone(&log.0.queue), Arc::clone(&log.0.queue));
        let follow = Follow::new(weak.clone(), store, timer, options.store_timeout);
        let check_every = options.store_check_interval();
        let run = async move {
            let ended = join5(
                follow.run(check_every),
                fetch::run(&follow),
                follow.verify(check_every),
                follow.retain(&options),
                queued::run(&follow, &stored, &options),
            );
            drop(ended.await);
        };
        Self { run: SyncWrapper::new(Box::pin(run)), log: weak, queue }
    }
}

impl Future for Follower {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(log) = self.log.upgrade().map(EventLog) else { return Poll::Ready(()) };
        let waits = log.backlog(|backlog| {
            let was_followed = mem::replace(&mut backlog.is_followed, true);
            (was_followed, backlog.follower_waits(cx.waker()))
        });
        if let Some((false, _)) = waits {
            log.tell(|observer| observer.follower(FollowerState::Running));
        }
        drop((waits, log));
        self.run.get_mut().as_mut().poll(cx)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.queue.close();
        let Some(log) = self.log.upgrade().map(EventLog) else { return };
        drop(log.backlog(Backlog::unfollow));
        log.tell(|observer| observer.follower(FollowerState::Stopped));
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}
