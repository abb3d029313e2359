use std::sync::Arc;

use futures_util::stream;
use sse_core::Position;
use sse_core::store::{Bounds, Page, PageLimit, Pages, StoreError};

use crate::core::LogCore;
use crate::notifications::Signal;
use crate::{bounds, read};

/// The limit of one page.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 256 * 1024 };

/// Returns the pages after a position: those that are stored, and then each as it is appended.
pub(crate) async fn follow(core: &Arc<LogCore>, after: Position) -> Result<Pages, StoreError> {
    // A call comes first: a cluster redirects it to the server that has the log, and it returns the sizes that the first page needs.
    let known = bounds::bounds(core).await?;
    core.caller.engine.watch();
    let server = core.caller.server();
    // From now on a change wakes the follower.
    let signal = server.listen(&core.keys.stream).await?;
    if !Arc::ptr_eq(&server, &core.caller.server()) {
        return Err(StoreError::failed(
            "following a log: it moved to another server during the subscription; follow it again",
        ));
    }
    let core = Arc::clone(core);
    let follower = Follower { core, signal, after, known, read_up_to: None };
    let next = async |mut follower: Follower| {
        let page = follower.next().await?;
        Ok(Some((page, follower)))
    };
    Ok(Pages::new(stream::try_unfold(follower, next)))
}

struct Follower {
    core: Arc<LogCore>,
    signal: Arc<Signal>,
    after: Position,
    /// The bounds at the last read.
    known: Bounds,
    /// The position up to which all events were read; nothing before the first page.
    read_up_to: Option<Position>,
}

impl Follower {
    /// Returns the next page that has an event, or other bounds than the page before it.
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            // A page may have fewer events than there are: the follower waits only if it has read up to the newest position.
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
            match read::read(&self.core, self.after, LIMIT).await {
                Err(_) if self.core.pending_pages.contains(self.after) => continue,
                page => break page?,
            }
        };
        // The bounds are read after the events: they may show an event that came in between. An empty page proves only that there was
        // no event up to the newest position of the bounds before.
        let newest_before = std::mem::replace(&mut self.known, page.bounds).newest;
        match page.events.last() {
            Some(last) => (self.after, self.read_up_to) = (last.position, Some(last.position)),
            None if newest_before <= page.bounds.newest => {
                self.read_up_to = Some(newest_before.max(self.after))
            }
            // The newest position has gone back.
            None => self.read_up_to = Some(page.bounds.newest),
        }
        Ok(page)
    }
}
