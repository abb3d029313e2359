use async_channel::Receiver;
use futures_util::stream;
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::store::RedbStore;

/// What is read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 64 * 1024 };

/// The events after a position, and those to come.
pub(crate) fn follow(store: RedbStore, after: Cursor) -> Pages {
    let changes = store.changes();
    Box::pin(stream::try_unfold(Following { store, after, told: None, changes }, Following::next))
}

struct Following {
    store: RedbStore,
    after: Cursor,
    told: Option<Bounds>,
    /// Filled by the writer after each transaction that has changed this log. Asked for before the first read: nothing comes in between.
    changes: Receiver<()>,
}

impl Following {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        loop {
            let page = self.store.page(self.after, LIMIT).await?;
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
            } else if self.told == Some(page.bounds) {
                match self.changes.recv().await {
                    Ok(()) => continue,
                    Err(_) => return Ok(None),
                }
            }
            self.told = Some(page.bounds);
            return Ok(Some((page, self)));
        }
    }
}
