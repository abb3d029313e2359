use std::future::poll_fn;
use std::sync::Arc;

use futures_util::stream;
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::core::RedbStore;
use crate::follower_queue::{Delivery, FollowerQueue};
use crate::read::read;

/// How much is taken at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

/// The events after a position, and those to come.
pub(crate) fn follow(store: RedbStore, after: Cursor) -> Pages {
    // From before the first read: nothing comes in between.
    let queue = store.follower_queue();
    let following = Following { store, after, last_bounds: None, queue, is_reading: true };
    Box::pin(stream::try_unfold(following, Following::next))
}

/// Reads until there is nothing more to read, and then takes what the writer hands over.
struct Following {
    store: RedbStore,
    after: Cursor,
    last_bounds: Option<Bounds>,
    queue: Arc<FollowerQueue>,
    is_reading: bool,
}

impl Following {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        loop {
            let page = if self.is_reading {
                let after = self.after;
                let page = self.store.view(move |log| read(log, after, LIMIT)).await?;
                self.is_reading = !page.events.is_empty();
                page
            } else {
                match poll_fn(|cx| self.queue.poll(LIMIT, cx)).await {
                    Delivery::Page(mut page) => {
                        // What came while it was reading, it has read.
                        page.events.retain(|event| event.cursor > self.after);
                        page
                    }
                    Delivery::Read => {
                        self.is_reading = true;
                        continue;
                    }
                    Delivery::End => return Ok(None),
                }
            };
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
            } else if self.last_bounds == Some(page.bounds) {
                continue;
            }
            self.last_bounds = Some(page.bounds);
            return Ok(Some((page, self)));
        }
    }
}
