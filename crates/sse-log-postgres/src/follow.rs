use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{StreamExt, try_unfold};
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};
use sse_core::{Cursor, Epoch};
use tokio::time::{Instant, sleep, timeout};

use crate::core::LogCore;
use crate::error::{Cause, Failure};
use crate::read;
use crate::subscription::Subscription;

/// What is read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };
/// How long to wait for what is about to be readable, at first and at most: nobody tells when it is.
const PENDING: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(500));
/// For how long something may be about to be readable after it was told of: a row can come after its own notification.
const TOLD: Duration = Duration::from_millis(200);

pub(crate) async fn follow(log: Arc<LogCore>, after: Cursor) -> Result<Pages, Failure> {
    let within = log.options.store_timeout.mul_f64(0.8);
    let subscription = timeout(within, log.engine.0.listener.subscribe(&log.name)).await;
    let subscription = subscription.map_err(|_| Failure::before(Cause::NoConnection(within)))??;
    let (pause, told, said, waits) = (PENDING.0, None, None, None);
    let following = Following { log, subscription, after, said, waits, pause, told };
    Ok(try_unfold(following, Following::next).boxed())
}

struct Following {
    log: Arc<LogCore>,
    subscription: Subscription,
    after: Cursor,
    said: Option<Said>,
    /// All there is was given: the next look is due when there is news, or, if something is about to be readable, after a pause.
    waits: Option<bool>,
    pause: Duration,
    /// When another process last said that there is news, which has not come yet.
    told: Option<Instant>,
}

/// What is told when it changes, also without an event.
#[derive(PartialEq)]
struct Said(Epoch, Cursor, bool, u64);

impl Said {
    fn of(bounds: &Bounds) -> Self {
        Self(bounds.epoch, bounds.floor, bounds.is_finished, bounds.deletions)
    }
}

impl Following {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        loop {
            if let Some(is_pending) = self.waits.take() {
                self.wait(is_pending).await;
            }
            self.subscription.check()?;
            if self.subscription.take_told() {
                self.told = Some(Instant::now());
                self.pause = PENDING.0;
            }
            let view = match read::look(&self.log, self.after, LIMIT).await {
                // A smaller page may come in time.
                Err(failure) if failure.is_slow() && read::can_be_smaller(&self.log) => continue,
                view => view?,
            };
            self.subscription.saw(view.top);
            self.waits = view.is_at_end().then(|| view.is_pending());
            let page = view.page;
            let said = Said::of(&page.bounds);
            let has_changed = self.said.replace(said) != Some(Said::of(&page.bounds));
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
                self.pause = PENDING.0;
                self.told = None;
            }
            if has_changed || !page.events.is_empty() {
                return Ok(Some((page, self)));
            }
        }
    }

    /// Until there may be something new.
    async fn wait(&mut self, is_pending: bool) {
        let is_near = is_pending || self.told.is_some_and(|told| told.elapsed() < TOLD);
        let pause = async {
            match is_near {
                true => sleep(self.pause).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.subscription.news() => self.pause = PENDING.0,
            () = pause => self.pause = (self.pause * 2).min(PENDING.1),
        }
    }
}
