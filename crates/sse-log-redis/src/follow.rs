use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use redis::{Value, cmd};
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};
use tokio::time::timeout;

use crate::bounds::{self, id};
use crate::connection::Connection;
use crate::read::{self, Read};
use crate::request::Request;
use crate::store::Shared;

/// How long Redis is asked to wait for news.
const BLOCK: Duration = Duration::from_secs(1);
/// What is read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };

pub(crate) async fn follow(shared: &Arc<Shared>, after: Cursor) -> Result<Pages, StoreError> {
    // First by the connection of all, which goes where the log has gone; and how large events are is known before a page is asked for.
    bounds::bounds(shared).await?;
    let connection = shared.connections.dedicated().await?;
    let shared = Arc::clone(shared);
    let mut following = Following { shared, connection, after, known: None };
    // From here on a change wakes it.
    let first = following.read().await?;
    let next = async |(mut following, first): (Following, Option<Page>)| {
        let page = match first {
            Some(page) => page,
            None => following.next().await?,
        };
        Ok(Some((page, (following, None))))
    };
    let first = Some(first).filter(|page| !page.events.is_empty());
    Ok(Box::pin(stream::try_unfold((following, first), next)))
}

struct Following {
    shared: Arc<Shared>,
    /// One of its own: who else uses it would wait as well.
    connection: Connection,
    after: Cursor,
    /// What there was last, and the newest of the changes.
    known: Option<(Bounds, String)>,
}

impl Following {
    /// The next page that has something new.
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            self.wait().await?;
            let known = self.known.as_ref().map(|(bounds, _)| *bounds);
            let page = self.read().await?;
            if !page.events.is_empty() || known != Some(page.bounds) {
                return Ok(page);
            }
        }
    }

    /// Until there are events or changes, or a while has passed: what somebody does by other means wakes nobody.
    async fn wait(&mut self) -> Result<(), StoreError> {
        let keys = &self.shared.keys;
        let changes = self.known.as_ref().map_or("0-0", |(_, changes)| changes);
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(1).arg("BLOCK").arg(BLOCK.as_millis() as u64);
        command.arg("STREAMS").arg(&keys.stream).arg(&keys.changes);
        command.arg(id(self.after)).arg(changes);
        let within = BLOCK + self.shared.connections.response_timeout();
        let waiting = timeout(within, self.connection.ask::<Value>(&command)).await;
        waiting.unwrap_or_else(|_| Err(no_answer(within))).map(drop)
    }

    async fn read(&mut self) -> Result<Page, StoreError> {
        loop {
            let pipeline = read::pipeline(&self.shared, self.after, LIMIT)?;
            let request = Request::Pipeline(&pipeline, &self.shared.scripts.bounds);
            let within = self.shared.connections.response_timeout();
            let reading = timeout(within, self.connection.call(request)).await;
            let answer = reading.unwrap_or_else(|_| Err(no_answer(within)))?;
            let Read { bounds, events, changes, skipped_to } =
                read::take(&self.shared, answer, LIMIT)?;
            self.known = Some((bounds, changes));
            let last = events.last().map(|event| event.cursor).or(skipped_to);
            self.after = last.unwrap_or(self.after);
            if skipped_to.is_none() {
                return Ok(Page { bounds, events });
            }
        }
    }
}

fn no_answer(within: Duration) -> StoreError {
    StoreError::outcome_unknown(format!("Redis has not answered within {within:?}"))
}
