use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::try_unfold;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};
use sse_core::{Epoch, Position};
use tokio::time::{Instant, sleep, timeout};

use crate::core::LogCore;
use crate::error::{Cause, Failure};
use crate::read;
use crate::subscription::Subscription;

/// Maximum size of a page.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };
/// First and longest pause before a follower looks again for events that are not readable yet: Postgres does not notify when they become readable.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(500));
/// Time after a notification during which a follower looks again: a row can become visible after its own notification.
const AFTER_NOTIFICATION: Duration = Duration::from_millis(200);

/// Returns the pages of events after a position, as they become readable, without end.
pub(crate) async fn follow(log: Arc<LogCore>, after: Position) -> Result<Pages, Failure> {
    let within = log.options.store_timeout.mul_f64(0.8);
    let subscription = timeout(within, log.engine.0.listener.subscribe(&log.name)).await;
    let subscription =
        subscription.map_err(|_| Failure::before_sending(Cause::NoConnection(within)))??;
    let (pause, notified_at, seen, waits) = (PAUSES.0, None, None, None);
    let follower = Follower { log, subscription, after, seen, waits, pause, notified_at };
    Ok(Pages::new(try_unfold(follower, Follower::next)))
}

struct Follower {
    log: Arc<LogCore>,
    subscription: Subscription,
    after: Position,
    /// The state of the log in the last page.
    seen: Option<Seen>,
    /// `None` if the next read is due at once. `Some(is_pending)` if the reader has all readable events: the next read is due after a
    /// notification, or, if `is_pending`, after a pause.
    waits: Option<bool>,
    pause: Duration,
    /// Time of the last notification by another process whose event has not arrived yet.
    notified_at: Option<Instant>,
}

/// State of a log whose change makes a page, also without an event.
#[derive(PartialEq)]
struct Seen(Epoch, Position, bool, u64);

impl Seen {
    fn of(bounds: &Bounds) -> Self {
        Self(bounds.epoch, bounds.floor, bounds.is_finished, bounds.deletions)
    }
}

impl Follower {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        loop {
            if let Some(is_pending) = self.waits.take() {
                self.wait(is_pending).await;
            }
            self.subscription.check()?;
            if self.subscription.take_notification() {
                self.notified_at = Some(Instant::now());
                self.pause = PAUSES.0;
            }
            let view = match read::look(&self.log, self.after, LIMIT).await {
                // A smaller page may arrive in time.
                Err(failure) if failure.is_slow() && read::can_be_smaller(&self.log) => continue,
                view => view?,
            };
            self.subscription.set_seen(view.top);
            self.waits = view.is_at_end().then(|| view.is_pending());
            let page = view.page;
            let seen = Seen::of(&page.bounds);
            let has_changed = self.seen.replace(seen) != Some(Seen::of(&page.bounds));
            if let Some(last) = page.events.last() {
                self.after = last.position;
                self.pause = PAUSES.0;
                self.notified_at = None;
            }
            if has_changed || !page.events.is_empty() {
                return Ok(Some((page, self)));
            }
        }
    }

    /// Waits until there may be something new.
    async fn wait(&mut self, is_pending: bool) {
        let may_be_readable = is_pending
            || self.notified_at.is_some_and(|notified| notified.elapsed() < AFTER_NOTIFICATION);
        let pause = async {
            match may_be_readable {
                true => sleep(self.pause).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.subscription.notified() => self.pause = PAUSES.0,
            () = pause => self.pause = (self.pause * 2).min(PAUSES.1),
        }
    }
}
