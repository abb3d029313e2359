use std::future::poll_fn;
use std::sync::Arc;

use futures_util::stream;
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::given::{Given, Slot};
use crate::store::RedbStore;

/// How much is taken at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

/// The events after a position, and those to come.
pub(crate) fn follow(store: RedbStore, after: Cursor) -> Pages {
    // From before the first read: nothing comes in between.
    let slot = store.follow_slot();
    let following = Following { store, after, told: None, slot, is_reading: true };
    Box::pin(stream::try_unfold(following, Following::next))
}

/// Reads until there is nothing more to read, and then takes what the writer hands over.
struct Following {
    store: RedbStore,
    after: Cursor,
    told: Option<Bounds>,
    slot: Arc<Slot>,
    is_reading: bool,
}

impl Following {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        loop {
            let page = if self.is_reading {
                let page = self.store.page(self.after, LIMIT).await?;
                self.is_reading = !page.events.is_empty();
                page
            } else {
                match poll_fn(|cx| self.slot.poll(LIMIT, cx)).await {
                    Given::Page(mut page) => {
                        // What came while it was reading, it has read.
                        page.events.retain(|event| event.cursor > self.after);
                        page
                    }
                    Given::Read => {
                        self.is_reading = true;
                        continue;
                    }
                    Given::End => return Ok(None),
                }
            };
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
            } else if self.told == Some(page.bounds) {
                continue;
            }
            self.told = Some(page.bounds);
            return Ok(Some((page, self)));
        }
    }
}
