use std::future::{Future, poll_fn};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use futures_util::{StreamExt, pin_mut};

use crate::Timer;
use crate::log::patience::{Backoff, within};
use crate::log::seen::Trace;
use crate::log::trouble::Trouble;
use crate::log::{EventLog, Shared, reads};
use crate::store::{Page, PageLimit, Pages, Retention, Store, StoreError};

/// How often the store is asked to let go of what is over the limits.
const RETAIN_EVERY: Duration = Duration::from_secs(10);

/// How long the store is left alone after it was asked for its bounds, whoever comes with ids that nobody here knows.
const CHECKS_APART: Duration = Duration::from_millis(20);

/// What the parts of a follower have in common. None of them holds the log: it ends with its last handle.
pub(super) struct Follow {
    log: Weak<Shared>,
    pub(super) store: Arc<dyn Store>,
    pub(super) timer: Timer,
    timeout: Duration,
    following: Trouble,
    pub(super) reading: Trouble,
    retaining: Trouble,
    pub(super) appending: Trouble,
}

/// The log is in use no more.
pub(super) struct Unused;

impl Follow {
    pub(super) fn new(
        log: Weak<Shared>,
        store: Arc<dyn Store>,
        timer: Timer,
        timeout: Duration,
    ) -> Self {
        let trouble = |what| Trouble::new(store.name(), what);
        Self {
            following: trouble("following the store of an event log"),
            reading: trouble("reading what is behind the tail of an event log"),
            retaining: trouble("having a store drop what is over the limits of an event log"),
            appending: trouble("storing events of `append_now`"),
            log,
            store,
            timer,
            timeout,
        }
    }

    pub(super) fn log(&self) -> Result<EventLog, Unused> {
        self.log.upgrade().map(EventLog).ok_or(Unused)
    }

    /// The answer of the store, or an error once that takes too long. What is asked for here changes no event: it has failed then.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        within(&self.timer, self.timeout, call).await.map_err(|error| match error {
            StoreError::OutcomeUnknown(error) => StoreError::Failed(error),
            error => error,
        })
    }

    pub(super) async fn run(&self, check_every: Duration) -> Result<(), Unused> {
        let mut backoff = Backoff::new();
        loop {
            let before = self.log()?.stats().newest;
            if let Err(Failed::Store(error)) = self.follow(check_every).await {
                self.following.begins(&error);
            }
            if self.log()?.stats().newest != before {
                backoff = Backoff::new();
            }
            backoff.wait(&self.timer).await;
        }
    }

    /// Follows from where the log is, until that cannot go on.
    async fn follow(&self, check_every: Duration) -> Result<(), Failed> {
        // What the store has lost is looked for once the connection is there, which is lost when the store loses anything.
        let (epoch, mut newest) = self.log()?.epoch_and_newest();
        let mut pages = self.within(self.store.follow(newest)).await?;
        self.check().await?;
        self.check_newest().await?;
        self.check_rest().await?;
        if self.log()?.epoch_and_newest().0 != epoch {
            return Ok(());
        }
        self.following.is_over();
        let (mut behind_since, mut checked) = (None, self.timer.now());
        loop {
            match self.next(&mut pages, check_every, checked).await? {
                Next::Page(page) => {
                    if self.log()?.take_page(&page) == Taken::NotFollowing {
                        return Ok(());
                    }
                }
                Next::End => return Ok(()),
                Next::Check => {
                    let taken = self.check().await?;
                    checked = self.timer.now();
                    match taken {
                        Taken::NotFollowing => return Ok(()),
                        Taken::UpToDate => behind_since = None,
                        Taken::Behind => {
                            let since = *behind_since.get_or_insert(checked);
                            if checked.saturating_duration_since(since) >= check_every {
                                tracing::debug!(
                                    log = self.store.name(),
                                    "a follower has stalled: it is made anew"
                                );
                                return Ok(());
                            }
                        }
                    }
                }
            }
            let before = std::mem::replace(&mut newest, self.log()?.epoch_and_newest().1);
            if newest != before {
                behind_since = None;
            }
        }
    }

    /// The next page; or the time has come to look at the bounds, or somebody wants that.
    async fn next(
        &self,
        pages: &mut Pages,
        check_every: Duration,
        checked: Instant,
    ) -> Result<Next, Failed> {
        let rest = CHECKS_APART.saturating_sub(self.timer.now().saturating_duration_since(checked));
        if rest.is_zero() && self.log()?.is_check_wanted() {
            // Before the next page: there may be one at every turn.
            return Ok(Next::Check);
        }
        let due = self.timer.sleep(check_every);
        let wanted = async {
            poll_fn(|_| match self.log() {
                Ok(log) if log.is_check_wanted() => Poll::Ready(()),
                Ok(_) => Poll::Pending,
                Err(Unused) => Poll::Ready(()),
            })
            .await;
            self.timer.sleep(rest).await;
        };
        let page = pages.next();
        pin_mut!(page, wanted);
        let check = select(due, wanted);
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
            tracing::warn!(log = self.store.name(), newest = %bounds.newest, "the newest events of a log are gone from its store; a new epoch begins");
            self.within(self.store.begin_epoch(bounds.epoch)).await?;
            bounds = self.within(self.store.bounds()).await?;
        }
        Ok(self.log()?.end_check(number, &bounds))
    }

    /// Whether the newest event is the one we know: after a failover, or a restore, another may have been given its cursor.
    async fn check_newest(&self) -> Result<(), Failed> {
        let Some(seen) = self.log()?.newest_seen() else { return Ok(()) };
        let (cursor, mut limit) = (seen.cursor, PageLimit { events: 1, ..reads::LIMIT });
        let mut after = cursor.previous();
        let page = loop {
            let page = self.within(self.store.read(after, limit)).await?;
            match self.log()?.trace(&seen, &page) {
                Trace::Found => return Ok(()),
                Trace::Lost => break page,
                Trace::After(last) => (after, limit) = (last, reads::LIMIT),
            }
        };
        tracing::warn!(log = self.store.name(), %cursor, "the newest event of a log is another one in its store; a new epoch begins");
        self.within(self.store.begin_epoch(page.bounds.epoch)).await?;
        self.check().await?;
        Ok(())
    }

    /// Whether there is anything after the newest event we know. Where the newest of all was deleted there is not.
    async fn check_rest(&self) -> Result<(), Failed> {
        let Some((newest, stored)) = self.log()?.newest_here_and_stored() else { return Ok(()) };
        let nothing = reads::nothing_between(&*self.store, newest, stored);
        if let Some(bounds) = self.within(nothing).await? {
            self.log()?.advance(stored, &bounds);
        }
        Ok(())
    }

    pub(super) async fn retain(&self, retention: Retention) -> Result<(), Unused> {
        loop {
            self.log()?;
            match self.within(self.store.retain(&retention)).await {
                Ok(()) => self.retaining.is_over(),
                Err(error) => self.retaining.begins(&error),
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
