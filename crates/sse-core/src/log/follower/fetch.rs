use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::chunk::{Entry, upto};
use crate::log::backlog::{Answer, Part, Request, Skipped};
use crate::log::follower::shared::{Follow, Unused};
use crate::log::retry::Backoff;
use crate::log::skip::skip as in_store;
use crate::log::tail::page::ID_ROOM;
use crate::pack::CHUNK_SIZE;
use crate::store::{Bounds, Page, PageLimit, Store, StoreError, TopicFilter, TopicPage};
use crate::{GapReason, Position, encode};

/// The number of parts of a log that are read at a time.
const AT_A_TIME: usize = 8;
/// The limit of one read: with the ids it fits into a chunk, unless the events are very small.
pub(crate) const LIMIT: PageLimit = PageLimit { events: 1000, bytes: CHUNK_SIZE / 4 * 3 };

mod of_topics;

/// Serves the requests of readers to the store, some at a time.
pub(crate) async fn run(follow: &Follow) -> Result<(), Unused> {
    let mut reads = FuturesUnordered::new();
    poll_fn(|cx| {
        for _ in 0..AT_A_TIME {
            while reads.len() < AT_A_TIME {
                let Ok(log) = follow.log() else { return Poll::Ready(Err(Unused)) };
                let Some((request, number)) = log.next_request() else { break };
                reads.push(read(follow, request, number));
            }
            match reads.poll_next_unpin(cx) {
                Poll::Ready(Some(Err(Unused))) => return Poll::Ready(Err(Unused)),
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        // The woken readers take their pages before other pages replace them.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Reads a part, until it succeeds or no reader requests it any more.
async fn read(follow: &Follow, request: Request, number: u64) -> Result<(), Unused> {
    let mut backoff = Backoff::new();
    while follow.log()?.is_requested(&request, number) {
        match attempt(follow, &request).await {
            Ok((before, page)) => {
                follow.reading.is_over();
                if follow.log()?.answer((&request, number), before, &page) {
                    return Ok(());
                }
            }
            Err(error) => follow.reading.begins(&error),
        }
        backoff.wait(&follow.timer).await;
    }
    Ok(())
}

/// The positions that were known before a page was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The base of the tail.
    pub(crate) base: Position,
    /// The newest event, in the tail or in the store.
    pub(crate) newest: Position,
    /// The lowest position from which a client can resume.
    pub(crate) floor: Position,
}

/// Reads a part once. Returns the positions known before the call, and the page.
async fn attempt(
    follow: &Follow,
    Request { part, filter }: &Request,
) -> Result<(Known, Encoded), StoreError> {
    let Ok(before) = follow.log().map(|log| log.known()) else {
        return Err(StoreError::failed("the log is no longer in use"));
    };
    let after = match (part, filter) {
        (Part::After(after), _) => *after,
        (Part::Oldest, _) => before.floor,
        (Part::Last(count), Some(filter)) => {
            of_topics::before_last(follow, filter, *count, LIMIT).await?
        }
        (Part::Skip(count), filter) => match skipped(follow, *count, filter.as_ref()).await? {
            (Skipped::After(after), _) => after,
            (Skipped::Gone(reason), bounds) => return Ok((before, Encoded::gone(reason, bounds))),
            (Skipped::More(_) | Skipped::Ask, _) => {
                return Err(StoreError::failed("the log has not said where to begin"));
            }
        },
        (Part::Last(count), None) => {
            follow.within(follow.store.before_last(PageLimit::of_events(*count))).await?
        }
        (Part::Since(age), _) => follow.within(follow.store.before_since(*age)).await?,
    };
    let page = match filter {
        Some(filter) => {
            let TopicPage { page, upto } = follow.read_topics(after, filter, LIMIT).await?;
            // The bounds of a page without events may be from after an event that came while it was read.
            let last = page.events.last().map_or(before.newest, |last| last.position);
            let upto = if upto > after { upto.min(before.newest.max(last)) } else { last };
            TopicPage { upto, page }
        }
        None => {
            let page = follow.read(after, LIMIT).await?;
            let upto = page.events.last().map_or(before.base, |last| last.position);
            TopicPage { upto: upto.max(after), page }
        }
    };
    Ok((before, Encoded::new(*part, after, &page)))
}

/// Finds the position after the first events, and remembers the part of the log in which no event has a key.
async fn skipped(
    follow: &Follow,
    count: usize,
    filter: Option<&TopicFilter>,
) -> Result<(Skipped, Bounds), StoreError> {
    let Ok(log) = follow.log() else {
        return Err(StoreError::failed("the log is no longer in use"));
    };
    let known = log.keyless();
    drop(log);
    let limit = (&follow.timer, follow.timeout);
    let (skipped, known, bounds) = in_store(count, &*follow.store, filter, known, limit).await?;
    if let Ok(log) = follow.log() {
        log.remember_keyless(known, bounds.epoch);
    }
    Ok((skipped, bounds))
}

/// Returns the bounds of a store that has no event between these positions, or `None` if it has one. It reads twice: after the first read the
/// store may have lost its events, and others may have been appended up to `end` before its bounds were read.
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

/// Returns true if this page shows that there is no event after its start, up to `end`. The store must have everything up to `end`.
pub(crate) fn has_nothing_up_to(end: Position, page: &Page) -> bool {
    page.events.first().is_none_or(|event| event.position > end) && page.bounds.newest >= end
}

/// A page as it goes out, made before the log is locked.
pub(crate) struct Encoded {
    part: Part,
    after: Position,
    bounds: Bounds,
    bytes: Bytes,
    /// The offset of each event in the bytes.
    entries: Arc<[Entry]>,
    /// The position up to which it has every event that the reader gets.
    upto: Position,
    /// The reason if there is no such part.
    gone: Option<GapReason>,
}

impl Encoded {
    /// Encodes a page that was read for this part, and that begins after this position.
    pub(crate) fn new(part: Part, after: Position, TopicPage { page, upto }: &TopicPage) -> Self {
        #[cfg(test)]
        crate::log::work::encode(page.events.len());
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
        let upto = match entries.last() {
            // The page has more than fits.
            Some(last) if entries.len() < page.events.len() => last.position,
            _ => *upto,
        };
        Self {
            part,
            after,
            bounds: page.bounds,
            bytes: bytes.freeze(),
            entries: entries.into(),
            upto,
            gone: None,
        }
    }

    /// Returns the page of a part that is a gap.
    fn gone(reason: GapReason, bounds: Bounds) -> Self {
        let empty = TopicPage { page: Page { bounds, events: Vec::new() }, upto: bounds.floor };
        Self { gone: Some(reason), ..Self::new(Part::Oldest, bounds.floor, &empty) }
    }

    /// Returns the bounds after the page had been read.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Returns the part of the log that the page has. It omits the events that the follower has not brought yet, so that this process knows
    /// every id with which a client can come back.
    pub(crate) fn answer(&self, newest: Position) -> Answer {
        let floor = self.bounds.floor;
        if let Some(reason) = self.gone {
            return Answer::Gone(reason);
        }
        if matches!(self.part, Part::After(_) | Part::Skip(_)) && self.after < floor {
            return Answer::Gone(GapReason::TooOld);
        }
        let known = upto(&self.entries, newest);
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            return Answer::Nothing(self.upto.min(newest).max(self.after).max(floor));
        };
        // A reader that begins with the oldest begins with the oldest event at the time of the read, though it may be dropped by now.
        let after = self.after.max(floor.min(first.position.previous()));
        let (bytes, entries) = (self.bytes.slice(..last.range().end), Arc::clone(&self.entries));
        let upto = self.upto.min(newest).max(last.position);
        Answer::Events { bytes, entries, after, last: last.position, upto }
    }
}
