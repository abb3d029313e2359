use std::future::poll_fn;
use std::task::Poll;

use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::log::behind::{Answer, Part};
use crate::log::follow::{Follow, Unused};
use crate::log::page::PAGE_SIZE;
use crate::log::patience::Backoff;
use crate::store::{Bounds, Page, PageLimit, Store, StoreError};
use crate::{Cursor, Epoch, encode};

/// How many parts of a log are read at a time.
const AT_A_TIME: usize = 8;
/// What is read at a time.
pub(super) const LIMIT: PageLimit = PageLimit { events: 1000, bytes: PAGE_SIZE };

/// Reads what readers want of the store, some at a time.
pub(super) async fn run(follow: &Follow) -> Result<(), Unused> {
    let mut reads = FuturesUnordered::new();
    poll_fn(|cx| {
        for _ in 0..AT_A_TIME {
            while reads.len() < AT_A_TIME {
                let Ok(log) = follow.log() else { return Poll::Ready(Err(Unused)) };
                let Some((part, wish)) = log.next_wanted() else { break };
                reads.push(read(follow, part, wish));
            }
            match reads.poll_next_unpin(cx) {
                Poll::Ready(Some(Err(Unused))) => return Poll::Ready(Err(Unused)),
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        // Those whom it woke take what was read before other pages take its place.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Reads a part, until it is there or nobody wants it any more.
async fn read(follow: &Follow, part: Part, wish: u64) -> Result<(), Unused> {
    let mut backoff = Backoff::new();
    while follow.log()?.is_wanted(part, wish) {
        match attempt(follow, part).await {
            Ok((after, before, page)) => {
                if follow.log()?.answer((part, wish), after, before, &page) {
                    return Ok(());
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "reading from a store failed; it is tried again"
                );
            }
        }
        backoff.wait(&follow.timer).await;
    }
    Ok(())
}

/// What was known before a page was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Where the tail began.
    pub(super) base: Cursor,
    /// The newest event, here or in the store.
    pub(super) newest: Cursor,
    /// The lowest position that can be resumed from.
    pub(super) floor: Cursor,
}

/// A page, the position after which it begins, and what was known before.
async fn attempt(follow: &Follow, part: Part) -> Result<(Cursor, Known, Page), StoreError> {
    let Ok(before) = follow.log().map(|log| log.known()) else {
        return Err(StoreError::failed("the log is in use no more"));
    };
    let after = match part {
        Part::After(after) => after,
        Part::Oldest => before.floor,
        Part::Last(count) => follow.within(follow.store.before_last(count)).await?,
    };
    let page = follow.within(follow.store.read(after, LIMIT)).await?;
    Ok((after, before, page))
}

/// The bounds of a store that has nothing between these positions. It is asked twice: after the first time it may have lost its events,
/// and been given others up to there before its bounds were looked at.
pub(super) async fn nothing_between(
    store: &dyn Store,
    after: Cursor,
    end: Cursor,
) -> Result<Option<Bounds>, StoreError> {
    let mut bounds = None;
    for _ in 0..2 {
        let page = store.read(after, PageLimit { events: 1, ..LIMIT }).await?;
        let is_there = page.events.first().is_some_and(|event| event.cursor <= end);
        if is_there || page.bounds.newest < end {
            return Ok(None);
        }
        bounds = Some(page.bounds);
    }
    Ok(bounds)
}

/// What a page says of the log after this position, as it goes out. The events that the follower has not brought yet are left out: what
/// has an id that a client can come back with is known to this process.
pub(super) fn answer(
    part: Part,
    after: Cursor,
    base: Cursor,
    newest: Cursor,
    page: &Page,
) -> Option<Answer> {
    if after < page.bounds.floor {
        // Whoever begins with the oldest begins with what is the oldest now.
        return matches!(part, Part::After(_)).then_some(Answer::Gone);
    }
    let known = page.events.iter().take_while(|event| event.cursor <= newest);
    let Some(last) = known.clone().last().map(|event| event.cursor) else {
        let nothing_up_to = if page.events.is_empty() { base } else { newest };
        return Some(Answer::Nothing(nothing_up_to.max(after)));
    };
    let epoch: Epoch = page.bounds.epoch;
    let mut bytes =
        BytesMut::with_capacity(known.clone().map(|event| event.block.len() + 40).sum());
    for event in known {
        bytes.extend_from_slice(&event.block);
        encode::id(&event.cursor.id(epoch), &mut bytes);
    }
    Some(Answer::Events(bytes.freeze(), last))
}
