use std::sync::Arc;

use crate::log::backlog::Backlog;
use crate::log::follower::Follower;
use crate::log::follower::fetch;
use crate::log::follower::live::Taken;
use crate::log::handle::{EventLog, Shared};
use crate::log::retry::{Backoff, within};
use crate::log::tail::{Limits, Tail};
use crate::store::{Bounds, PageLimit, Store, StoreError};
use crate::{Error, StoreOptions, Timer};

impl EventLog {
    /// Opens a log over a store. Returns the log and a [`Follower`], to be spawned, which brings the store's events into this process.
    ///
    /// The log reads the newest events into memory now. Later the follower has the store drop the events over the limits of the options.
    /// `timer` is the clock of the runtime. A store's own crate has a function that passes it, and spawns the follower.
    ///
    /// ```
    #[doc = include_str!("../../store/in_examples.txt")]
    /// use sse_core::{EventLog, StoreOptions, Timer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// let (log, follower) = EventLog::open(VecStore::new(), StoreOptions::default(), timer).await?;
    /// tokio::spawn(follower);
    /// let id = log.append("hello").await?;
    /// assert_eq!(log.get(&id).await?.block(), b"data: hello\n");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) if the store still fails after [`StoreOptions::store_wait`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the store may have been called, and may have created the log.
    pub async fn open(
        store: impl Store,
        options: StoreOptions,
        timer: Timer,
    ) -> Result<(Self, Follower), Error> {
        let store: Arc<dyn Store> = Arc::new(store);
        let (begun, mut backoff) = (timer.now(), Backoff::new());
        let log = loop {
            match Self::over(&store, options.clone(), &timer).await {
                Ok(log) => break log,
                Err(error)
                    if timer.now().saturating_duration_since(begun) >= options.store_wait =>
                {
                    return Err(Error::store(store.label(), "opening the log", error, false));
                }
                Err(_) => backoff.wait(&timer).await,
            }
        };
        let follower = Follower::new(&log, store);
        Ok((log, follower))
    }

    /// Returns a log whose tail is full of the newest events.
    async fn over(
        store: &Arc<dyn Store>,
        options: StoreOptions,
        timer: &Timer,
    ) -> Result<Self, StoreError> {
        let bounds: Bounds = within(timer, options.store_timeout, store.bounds()).await?;
        let limits = Limits {
            events: options.tail_events.max(1),
            bytes: options.tail_bytes,
            topics_required: options.topics_required,
        };
        let before = store.before_last(PageLimit { events: limits.events, bytes: limits.bytes });
        let before = within(timer, options.store_timeout, before).await?;
        let base = before.max(bounds.floor).min(bounds.newest.max(bounds.floor));
        let tail = Tail::new(bounds.epoch, base, limits, None);
        let log = Shared::new(
            tail,
            Some((Arc::clone(store), Backlog::new(bounds))),
            options,
            timer.clone(),
        );
        let log = Self(Arc::new(log));
        log.fill(&**store, &bounds).await?;
        Ok(log)
    }

    /// Reads the events after the base, so that a stream that begins live begins with the next event.
    async fn fill(&self, store: &dyn Store, bounds: &Bounds) -> Result<(), StoreError> {
        let end = bounds.newest;
        loop {
            let newest = self.lock().tail.newest();
            if newest >= end {
                // It may be finished.
                self.advance(newest, bounds);
                return Ok(());
            }
            let deletions = self.deletions();
            let read = store.read(newest, fetch::LIMIT);
            let page = within(&self.0.timer, self.0.options.store_timeout, read).await?;
            if self.take_page(&page, deletions) == Taken::NotFollowing {
                // The follower handles it.
                return Ok(());
            }
            if page.events.is_empty() {
                let (timer, timeout) = (&self.0.timer, self.0.options.store_timeout);
                let nothing = fetch::nothing_between(store, newest, end);
                if let Some(bounds) = within(timer, timeout, nothing).await? {
                    self.advance(end, &bounds);
                }
                return Ok(());
            }
        }
    }
}
