//! What those get who follow.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::stream;
use sse_core::Cursor;
use sse_core::store::{PageLimit, Pages, StoreError};

use super::ScriptedStore;
use super::faults::{Call, Cut, Fault};

/// What is given at a time.
const LIMIT: PageLimit = PageLimit { events: 100, bytes: 64 * 1024 };

struct Following {
    store: ScriptedStore,
    after: Cursor,
    /// How much of what followers are told of is known.
    changes: Option<u64>,
    cuts: u64,
}

/// The pages after this position, until the connection is lost.
pub(super) fn pages(store: ScriptedStore, after: Cursor) -> Pages {
    let cuts = store.lock().faults.cuts.0;
    let following = Following { store, after, changes: None, cuts };
    Box::pin(stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        match following.news().await {
            Ok(()) => {}
            Err(Cut::Ends) => return None,
            Err(Cut::Fails) => {
                let lost = StoreError::failed("the connection was lost");
                return Some((Err(lost), None));
            }
        }
        let changes = following.store.lock().data.changes;
        let page = following.store.page(following.after, LIMIT).await;
        following.store.lock().count(Call::Pages);
        match page.events.last() {
            // There may be more, and then there is another page.
            Some(last) => following.after = last.cursor,
            None => following.changes = Some(changes),
        }
        Some((Ok(page), Some(following)))
    }))
}

impl Following {
    /// There is something to tell of.
    async fn news(&self) -> Result<(), Cut> {
        poll_fn(|cx| {
            let mut held = self.store.lock();
            let (cuts, how) = held.faults.cuts;
            if cuts != self.cuts {
                return Poll::Ready(Err(how.unwrap_or(Cut::Ends)));
            }
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
