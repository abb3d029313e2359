use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{StreamExt, try_unfold};
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};
use sse_core::{Cursor, Epoch};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::connection::Listening;
use crate::failure::{Cause, Failure};
use crate::name::channel;
use crate::read::{self, Question};
use crate::store::Shared;

/// What is read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };
/// How long to wait for what is about to be readable, at first and at most: nobody tells when it is.
const PENDING: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(32));
/// For how long something may be about to be readable after it was told of: a row can come after its own notification.
const TOLD: Duration = Duration::from_millis(200);

pub(crate) async fn follow(shared: Arc<Shared>, after: Cursor) -> Result<Pages, Failure> {
    let news = Arc::new(Notify::new());
    let listening = shared.connections.listen(&channel(&shared.name), &news).await?;
    let changed_here = shared.changed_here.subscribe();
    let following = Following {
        shared,
        listening,
        news,
        changed_here,
        after,
        said: None,
        pause: PENDING.0,
        told: None,
    };
    Ok(try_unfold(following, Following::next).boxed())
}

struct Following {
    shared: Arc<Shared>,
    listening: Listening,
    /// Somebody has changed something.
    news: Arc<Notify>,
    /// So has somebody in this process.
    changed_here: watch::Receiver<()>,
    after: Cursor,
    said: Option<Said>,
    pause: Duration,
    /// When the last notification came.
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
            // What changes from here on is looked for again.
            self.changed_here.mark_unchanged();
            let question = Question::new(&self.shared, self.after, LIMIT);
            let rows = self.listening.query(Question::SQL, &question.parameters()).await?;
            let view = read::view(&rows)?;
            let (is_pending, page) = (view.is_pending(), view.page);
            let said = Said::of(&page.bounds);
            let has_changed = self.said.replace(said) != Some(Said::of(&page.bounds));
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
                self.pause = PENDING.0;
            }
            if has_changed || !page.events.is_empty() {
                return Ok(Some((page, self)));
            }
            self.wait(is_pending).await?;
        }
    }

    /// Until there may be something new.
    async fn wait(&mut self, is_pending: bool) -> Result<(), Failure> {
        let is_near = is_pending || self.told.is_some_and(|told| told.elapsed() < TOLD);
        let pause = if is_near { self.pause } else { self.shared.poll_every };
        tokio::select! {
            () = self.news.notified() => {
                self.told = Some(Instant::now());
                self.pause = PENDING.0;
            }
            changed = self.changed_here.changed() => {
                changed.map_err(|_| Failure::before(Cause::NoTask))?;
                self.pause = PENDING.0;
            }
            () = sleep(pause.min(self.shared.poll_every)) => {
                self.pause = (self.pause * 2).min(PENDING.1);
            }
        }
        Ok(())
    }
}
