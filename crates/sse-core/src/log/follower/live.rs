use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use futures_util::{StreamExt, pin_mut};

use crate::log::follower::fetch;
use crate::log::follower::shared::{Failed, Follow, Unused};
use crate::log::follower::stall::{Lag, Stall};
use crate::log::retry::Backoff;
use crate::store::{Page, PageLimit, Pages};

/// The shortest time between two checks of the bounds, however many clients come with unknown ids.
const CHECKS_APART: Duration = Duration::from_millis(20);

impl Follow {
    pub(crate) async fn run(&self, check_every: Duration) -> Result<(), Unused> {
        let (mut backoff, mut stall) = (Backoff::new(), Stall::new(check_every));
        loop {
            let before = self.log()?.stats().newest;
            match self.follow(&stall).await {
                Err(Failed::Store(error)) => self.following.begins(&error),
                Ok(Ended::Stalled) => stall.lengthen(),
                Err(Failed::Unused) | Ok(Ended::Other) => {}
            }
            if self.log()?.stats().newest != before {
                backoff = Backoff::new();
                stall.reset();
            }
            backoff.wait(&self.timer).await;
        }
    }

    /// Follows from the newest position of the log, until the store ends the pages, or brings no event for too long though it has one.
    async fn follow(&self, stall: &Stall) -> Result<Ended, Failed> {
        // Check for lost events once the connection is open, because it breaks when the store loses events.
        let begun = self.timer.now();
        let (epoch, mut newest) = self.log()?.epoch_and_newest();
        let mut deletions = self.log()?.deletions();
        let mut pages = self.within(self.store.follow(newest)).await?;
        let number = self.log()?.begin_check();
        let bounds = self.bounds_by_content().await?;
        self.log()?.end_check(number, &bounds);
        self.check_rest().await?;
        if self.log()?.epoch_and_newest().0 != epoch {
            return Ok(Ended::Other);
        }
        self.following.is_over();
        let (mut behind, mut checked) = (None::<Lag>, self.timer.now());
        let stalled = stall.after_beginning(checked.saturating_duration_since(begun));
        loop {
            let due = behind.as_ref().map(|lag| lag.due(stalled));
            let (taken, is_empty) = match self.next(&mut pages, due, checked).await? {
                Next::Page(page) => {
                    let before = std::mem::replace(&mut deletions, page.bounds.deletions);
                    (self.log()?.take_page(&page, before), page.events.is_empty())
                }
                Next::End => return Ok(Ended::Other),
                Next::Check => {
                    let number = self.log()?.begin_check();
                    let bounds = self.bounds().await?;
                    checked = self.timer.now();
                    (self.log()?.end_check(number, &bounds), false)
                }
                Next::Due => {
                    let Some(lag) = behind.take().filter(Lag::is_hasty) else {
                        let log = self.store.name();
                        tracing::debug!(
                            log,
                            "the follower of an event log has stalled: following begins again"
                        );
                        return Ok(Ended::Stalled);
                    };
                    // There may be no event to come: the newest was deleted, or is not an event.
                    if let Err(Failed::Unused) = self.check_rest().await {
                        return Err(Failed::Unused);
                    }
                    let is_behind = self.log()?.newest_here_and_stored().is_some();
                    behind = is_behind.then_some(lag.confirmed());
                    continue;
                }
            };
            let before = std::mem::replace(&mut newest, self.log()?.epoch_and_newest().1);
            behind = behind.filter(|_| newest == before);
            match taken {
                Taken::NotFollowing => return Ok(Ended::Other),
                Taken::UpToDate => behind = None,
                Taken::Behind => {
                    let lag = behind.get_or_insert_with(|| Lag::new(self.timer.now()));
                    if is_empty {
                        lag.hasten();
                    }
                }
            }
        }
    }

    /// Waits for the next page, for the time to check why no event comes, or for a request for the bounds.
    async fn next(
        &self,
        pages: &mut Pages,
        due: Option<Instant>,
        checked: Instant,
    ) -> Result<Next, Failed> {
        let rest = CHECKS_APART.saturating_sub(self.timer.now().saturating_duration_since(checked));
        if rest.is_zero() && self.log()?.is_check_requested() {
            // Before the next page, because there may be a page at every poll.
            return Ok(Next::Check);
        }
        let due = async {
            match due {
                Some(due) => {
                    self.timer.sleep(due.saturating_duration_since(self.timer.now())).await;
                }
                None => std::future::pending().await,
            }
        };
        let requested = async {
            poll_fn(|_| match self.log() {
                Ok(log) if !log.is_check_requested() => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
            self.timer.sleep(rest).await;
        };
        let page = pages.next();
        pin_mut!(page, due, requested);
        match select(page, select(due, requested)).await {
            Either::Left((Some(page), _)) => Ok(Next::Page(page?)),
            Either::Left((None, _)) => Ok(Next::End),
            Either::Right((Either::Left(_), _)) => Ok(Next::Due),
            Either::Right((Either::Right(_), _)) => Ok(Next::Check),
        }
    }

    /// Checks whether the store has an event after the newest of the tail, and moves the end of the tail if not, for example because the newest
    /// was deleted. It reads twice, like [`fetch::nothing_between`].
    async fn check_rest(&self) -> Result<(), Failed> {
        let Some((newest, stored)) = self.log()?.newest_here_and_stored() else { return Ok(()) };
        let one = PageLimit { events: 1, ..fetch::LIMIT };
        let mut page = self.read(newest, one).await?;
        if fetch::has_nothing_up_to(stored, &page) {
            page = self.read(newest, one).await?;
            if fetch::has_nothing_up_to(stored, &page) {
                self.log()?.advance(stored, &page.bounds);
            }
        }
        Ok(())
    }
}

/// The result of taking over a page, or bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    UpToDate,
    /// The store has events that have not arrived yet.
    Behind,
    /// The next pages do not continue the tail: following must begin again.
    NotFollowing,
}

enum Next {
    Page(Page),
    End,
    Check,
    Due,
}

/// The reason why following ended.
enum Ended {
    Stalled,
    Other,
}
