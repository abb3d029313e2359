//! The pages that followers get.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::stream;
use sse_core::Position;
use sse_core::store::{Page, PageLimit, Pages, StoreError};

use super::faults::{Call, Cut, Fault};
use super::{Held, ScriptedStore};

/// The largest page.
const LIMIT: PageLimit = PageLimit { events: 100, bytes: 64 * 1024 };

struct Following {
    store: ScriptedStore,
    after: Position,
    /// The number of changes that are known.
    changes: Option<u64>,
    cuts: u64,
}

/// The pages after this position, until the connection is lost.
pub(super) fn pages(store: ScriptedStore, after: Position) -> Pages {
    let cuts = store.lock().faults.cuts.0;
    let following = Following { store, after, changes: None, cuts };
    Pages::new(stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        let page = match following.next().await {
            Ok(page) => page,
            Err(Cut::Ends) => return None,
            Err(Cut::Fails) => {
                let lost = StoreError::failed("the connection was lost");
                return Some((Err(lost), None));
            }
        };
        Some((Ok(page), Some(following)))
    }))
}

impl Following {
    /// The next page, once there is one.
    async fn next(&mut self) -> Result<Page, Cut> {
        self.news().await?;
        let changes = self.store.lock().data.changes;
        let page = self.store.page(self.after, LIMIT).await;
        self.store.wait_some_steps().await; // it is on its way
        self.check(&self.store.lock())?; // it may have been on its way when the connection was lost
        self.store.lock().count(Call::Pages);
        match page.events.last() {
            // There may be more, and then there is another page.
            Some(last) => self.after = last.position,
            None => self.changes = Some(changes),
        }
        Ok(page)
    }

    /// Checks that the connection is still there.
    fn check(&self, held: &Held) -> Result<(), Cut> {
        let (cuts, how) = held.faults.cuts;
        if cuts == self.cuts { Ok(()) } else { Err(how.unwrap_or(Cut::Ends)) }
    }

    /// There is something to tell of.
    async fn news(&self) -> Result<(), Cut> {
        poll_fn(|cx| {
            let mut held = self.store.lock();
            self.check(&held)?;
            let is_held_back = match held.faults.of.get(&Call::Pages) {
                Some(Fault::Stalls) => true,
                Some(_) => return Poll::Ready(Err(Cut::Fails)),
                None => false,
            };
            if is_held_back || self.changes == Some(held.data.changes) {
                held.faults.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}
