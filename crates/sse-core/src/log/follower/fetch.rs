use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::chunk::{Entry, upto};
use crate::log::backlog::{Answer, Part};
use crate::log::follower::shared::{Follow, Unused};
use crate::log::retry::Backoff;
use crate::log::tail::page::{ID_ROOM, PAGE_SIZE};
use crate::pack::CHUNK_SIZE;
use crate::store::{Bounds, Page, PageLimit, Store, StoreError};
use crate::{Position, encode};

/// How many parts of a log are read at a time.
const AT_A_TIME: usize = 8;
/// What is read at a time: with the ids no more than fits into a chunk, unless the events are very small.
pub(crate) const LIMIT: PageLimit = PageLimit { events: 1000, bytes: PAGE_SIZE / 4 * 3 };

/// Reads what readers want of the store, some at a time.
pub(crate) async fn run(follow: &Follow) -> Result<(), Unused> {
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
                follow.reading.is_over();
                let page = Encoded::new(part, after, &page);
                if follow.log()?.answer((part, wish), before, &page) {
                    return Ok(());
                }
            }
            Err(error) => follow.reading.begins(&error),
        }
        backoff.wait(&follow.timer).await;
    }
    Ok(())
}

/// What was known before a page was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Where the tail began.
    pub(crate) base: Position,
    /// The newest event, here or in the store.
    pub(crate) newest: Position,
    /// The lowest position that can be resumed from.
    pub(crate) floor: Position,
}

/// A page, the position after which it begins, and what was known before.
async fn attempt(follow: &Follow, part: Part) -> Result<(Position, Known, Page), StoreError> {
    let Ok(before) = follow.log().map(|log| log.known()) else {
        return Err(StoreError::failed("the log is in use no more"));
    };
    let after = match part {
        Part::After(after) => after,
        Part::Oldest => before.floor,
        Part::Last(count) => {
            follow.within(follow.store.before_last(PageLimit::of_events(count))).await?
        }
    };
    let page = follow.read(after, LIMIT).await?;
    Ok((after, before, page))
}

/// The bounds of a store that has nothing between these positions. It is asked twice: after the first time it may have lost its events,
/// and been given others up to there before its bounds were looked at.
pub(crate) async fn nothing_between(
    store: &dyn Store,
    after: Position,
    end: Position,
) -> Result<Option<Bounds>, StoreError> {
    let mut bounds = None;
    for _ in 0..2 {
        let page = store.read(after, PageLimit { events: 1, ..LIMIT }).await?;
        if !has_nothing_up_to(end, &page) {
            return Ok(None);
        }
        bounds = Some(page.bounds);
    }
    Ok(bounds)
}

/// Whether a store that has all up to this position has nothing there that comes after where the page begins.
pub(crate) fn has_nothing_up_to(end: Position, page: &Page) -> bool {
    page.events.first().is_none_or(|event| event.position > end) && page.bounds.newest >= end
}

/// A page as it goes out, made before the log is locked.
pub(crate) struct Encoded {
    part: Part,
    after: Position,
    bounds: Bounds,
    bytes: Bytes,
    /// Where each event is in the bytes.
    entries: Arc<[Entry]>,
    is_empty: bool,
}

impl Encoded {
    /// The page was read for this part, and begins after this position.
    pub(crate) fn new(part: Part, after: Position, page: &Page) -> Self {
        let mut bytes = BytesMut::new();
        let mut entries = Vec::with_capacity(page.events.len());
        for event in &page.events {
            let (size, id) =
                (event.block.len() + ID_ROOM, event.position.id_text(page.bounds.epoch));
            if !bytes.is_empty() && bytes.len() + size > CHUNK_SIZE {
                break;
            }
            let start = bytes.len();
            bytes.extend_from_slice(&event.block);
            encode::id(id.as_bytes(), &mut bytes);
            entries.push(Entry::new(event.position, start..bytes.len()));
        }
        let is_empty = page.events.is_empty();
        Self {
            part,
            after,
            bounds: page.bounds,
            bytes: bytes.freeze(),
            entries: entries.into(),
            is_empty,
        }
    }

    /// What there was when it had been read.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What the page says of the log after its position. The events that the follower has not brought yet are left out: what has an id
    /// that a client can come back with is known to this process.
    pub(crate) fn answer(&self, base: Position, newest: Position) -> Answer {
        let floor = self.bounds.floor;
        if matches!(self.part, Part::After(_)) && self.after < floor {
            return Answer::Gone;
        }
        let known = upto(&self.entries, newest);
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            let nothing_up_to = if self.is_empty { base } else { newest };
            return Answer::Nothing(nothing_up_to.max(self.after).max(floor));
        };
        // To begin with the oldest is to begin with what was the oldest as it was read, though that is dropped by now.
        let after = self.after.max(floor.min(first.position.previous()));
        let (bytes, entries) = (self.bytes.slice(..last.range().end), Arc::clone(&self.entries));
        Answer::Events { bytes, entries, after, last: last.position }
    }
}
