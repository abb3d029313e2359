use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sse_core::Cursor;
use sse_core::store::{PageLimit, StoreError};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::read::{self, Answer};
use crate::request::Request;
use crate::route::no_answer;
use crate::server::Lane;
use crate::store::Shared;

/// How long an event may be on its way: 1 MiB over a line of 20 kB a second, and then some.
const LONGEST: Duration = Duration::from_secs(300);
/// How many may be on their way after nobody waits for them any more.
const MOST: usize = 4;

/// Events that were asked for and have not come in time. Whoever asks for one again waits on for it: asked for from the beginning, a large one
/// would never come over a slow line.
#[derive(Debug, Default)]
pub(crate) struct Coming(Mutex<Vec<Page>>);

#[derive(Debug)]
struct Page {
    after: Cursor,
    asked: (usize, Instant),
    task: JoinHandle<Result<Answer, StoreError>>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Coming {
    /// The page after a position, and how many events were asked for, and when.
    pub(crate) async fn page(
        &self,
        shared: &Arc<Shared>,
        after: Cursor,
        limit: PageLimit,
    ) -> Result<(Answer, usize, Duration), StoreError> {
        let begun = self.take(after).map_or_else(|| begin(shared, after, limit), Ok);
        let mut page = begun?;
        let within = shared.route.timeout;
        let (count, asked) = page.asked;
        if count == 1 {
            let Ok(ended) = timeout(within, &mut page.task).await else {
                shared.pace.came_not();
                self.put(page);
                return Err(no_answer(within));
            };
            return Ok((ended.map_err(StoreError::failed)??, count, asked.elapsed()));
        }
        // The call ends by itself, and its connection with it: what is on its way is more than was bargained for.
        let answer = (&mut page.task).await.map_err(StoreError::failed)?;
        if answer.is_err() {
            shared.pace.came_not();
        }
        Ok((answer?, count, asked.elapsed()))
    }

    /// Whether the event after this position is on its way.
    pub(crate) fn is_coming(&self, after: Cursor) -> bool {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.iter().any(|page| page.after == after)
    }

    fn take(&self, after: Cursor) -> Option<Page> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.iter().position(|page| page.after == after)?;
        Some(pages.remove(at))
    }

    fn put(&self, page: Page) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() == MOST {
            pages.remove(0);
        }
        pages.push(page);
    }
}

fn begin(shared: &Arc<Shared>, after: Cursor, limit: PageLimit) -> Result<Page, StoreError> {
    let count = shared.pace.count(limit);
    let pipeline = read::pipeline(shared, after, count)?;
    // Of several events as many as come in time are asked for next.
    let within = if count == 1 { LONGEST } else { shared.route.timeout };
    let (asked, route) = ((count, Instant::now()), Arc::clone(&shared.route));
    let task = tokio::spawn(async move {
        let request = Request::Pipeline(&pipeline, &route.engine.scripts.bounds);
        route.call_within(within, Lane::Large, request).await
    });
    Ok(Page { after, asked, task })
}
