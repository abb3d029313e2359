use std::future::poll_fn;
use std::sync::Arc;

use futures_util::stream;
use sse_core::Position;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::core::RedbStore;
use crate::follower_queue::{Delivery, FollowerQueue};
use crate::read::read;

/// Largest page that a follower takes: 1000 events or 64 KiB.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

/// Returns the events after a position, and then each event that is appended.
pub(crate) fn follow(store: RedbStore, after: Position) -> Pages {
    // The queue exists before the first read, so that no event is missed in between.
    let queue = store.follower_queue();
    let following = Following { store, after, last_bounds: None, queue, is_reading: true };
    Pages::new(stream::try_unfold(following, Following::next))
}

/// State of a follower: it reads until it has read everything, and then takes the events that the writer pushes.
struct Following {
    store: RedbStore,
    after: Position,
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
                        // Drops the events that it has read already.
                        page.events.retain(|event| event.position > self.after);
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
                self.after = last.position;
            } else if self.last_bounds == Some(page.bounds) {
                continue;
            }
            self.last_bounds = Some(page.bounds);
            return Ok(Some((page, self)));
        }
    }
}
