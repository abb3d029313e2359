use std::sync::Arc;

use futures_util::stream;
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::hub::Signal;
use crate::store::Shared;
use crate::{bounds, read};

/// What is read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };

pub(crate) async fn follow(shared: &Arc<Shared>, after: Cursor) -> Result<Pages, StoreError> {
    // First by a call, which goes where the log has gone; and how large events are is known before a page is asked for.
    let known = bounds::bounds(shared).await?;
    shared.route.engine.watch();
    let server = shared.route.server();
    // From here on a change wakes it.
    let signal = server.listen(&shared.keys.stream).await?;
    if !Arc::ptr_eq(&server, &shared.route.server()) {
        return Err(StoreError::failed("the log has moved to another server meanwhile"));
    }
    let shared = Arc::clone(shared);
    let following = Following { shared, signal, after, known, read_up_to: None };
    let next = async |mut following: Following| {
        let page = following.next().await?;
        Ok(Some((page, following)))
    };
    Ok(Box::pin(stream::try_unfold(following, next)))
}

struct Following {
    shared: Arc<Shared>,
    signal: Arc<Signal>,
    after: Cursor,
    /// What there was last.
    known: Bounds,
    /// There is nothing up to here that was not read; nothing is known before the first page.
    read_up_to: Option<Cursor>,
}

impl Following {
    /// The next page that has something new.
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            // A page need not have all there is.
            if self.read_up_to.is_some_and(|read| self.known.newest <= read) {
                self.signal.wait().await?;
            }
            let before = self.known;
            let page = self.read().await?;
            if !page.events.is_empty() || before != page.bounds {
                return Ok(page);
            }
        }
    }

    async fn read(&mut self) -> Result<Page, StoreError> {
        let page = loop {
            match read::read(&self.shared, self.after, LIMIT).await {
                Err(_) if self.shared.coming.is_coming(self.after) => continue,
                page => break page?,
            }
        };
        // What has come after the events were read shows in the bounds; what was there before would be in an empty page.
        let was_there = std::mem::replace(&mut self.known, page.bounds).newest;
        match page.events.last() {
            Some(last) => (self.after, self.read_up_to) = (last.cursor, Some(last.cursor)),
            None if was_there <= page.bounds.newest => {
                self.read_up_to = Some(was_there.max(self.after))
            }
            // The log has moved back.
            None => self.read_up_to = Some(page.bounds.newest),
        }
        Ok(page)
    }
}
