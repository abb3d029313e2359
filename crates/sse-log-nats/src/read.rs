use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::try_join_all;
use sse_core::Position;
use sse_core::store::{Page, PageLimit, StoreError, StoredEvent};
use tokio::time::{Instant, sleep};

use crate::bounds::load_view;
use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::holes::holes;
use crate::lookup::{get, next, next_event};
use crate::message::Message;
use crate::pull_size;
use crate::removed::without_deleted;

/// Largest number of messages and bytes in one read, under any limit: a page must not delay other logs' pages for longer.
pub(crate) const MOST: PageLimit = PageLimit { events: 1000, bytes: pull_size::MOST };
/// Number and total size in bytes of messages up to which they are looked up one by one.
const FEW: u64 = 8;
const FEW_BYTES: u64 = 64 << 10;
/// Number of epochs that may begin during a read.
const EPOCHS: usize = 20;
/// Time to wait for a server that lags behind, before the next read.
const LAG: Duration = Duration::from_millis(10);

/// The messages of one read.
struct Read {
    messages: Vec<Message>,
    /// The newest sequence that the read covers.
    reached: u64,
    end: End,
    /// True if the stream itself was asked for each message, so that there is no other between them.
    is_verified: bool,
}

/// The knowledge about further messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Unknown,
    /// A consumer has reported no more messages. It may be on a server that lags behind.
    ByConsumer,
    /// The last view has no more messages.
    ByView,
}

/// Returns the events after this position, and the bounds after they were read.
pub(crate) async fn read(
    core: &LogCore,
    after: Position,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let (mut from, mut most) = (after.hi(), limit);
    let (mut kept, started) = (core.partial_batches.take(after), Instant::now());
    let (mut is_first, mut epochs) = (true, 0);
    loop {
        let epoch = core.seen().map(|(epoch, _)| epoch);
        let (read, of) = match kept.take() {
            Some(kept) => {
                let (messages, reached) = (vec![kept.message], from + 1);
                (Read { messages, reached, end: End::Unknown, is_verified: true }, Some(kept.of))
            }
            None => (messages_after(core, from, most).await?, None),
        };
        let mut view = load_view(core).await?;
        let now = (view.bounds.epoch, view.bounds.deletions);
        if epoch.is_some_and(|epoch| epoch != now.0) && epochs < EPOCHS {
            // The epoch may have begun because another program has removed these messages: they are not of this epoch.
            epochs += 1;
            continue;
        }
        if of.is_some_and(|of| of != now) {
            // Some events of the kept message may have been deleted since.
            continue;
        }
        let is_stale = read.end == End::ByView && view.info.state.last_seq > read.reached;
        if is_stale && std::mem::take(&mut is_first) {
            // There are newer messages than in the view that ended the read.
            continue;
        }
        if !read.is_verified {
            let numbers = read.messages.iter().map(|message| message.sequence);
            view.confirm(core, holes(from, numbers)).await?;
        }
        let Read { messages, reached, end, .. } = read;
        from = reached;
        let events = messages.iter().flat_map(|message| message.events(&core.names));
        let begin = after.max(view.bounds.floor);
        let events = events.filter(|event| event.position > begin);
        let events = without_deleted(core, &mut view, events.collect()).await?;
        let events = within(without_superseded(events.into_iter()), limit);
        if let Some(last) = events.last() {
            core.partial_batches.keep(last.position, messages, now);
        }
        if !events.is_empty() || (end != End::Unknown && view.info.state.last_seq <= from) {
            return Ok(Page { bounds: view.bounds, events });
        }
        // All events were deleted, or the messages are notes: there may be later events. Only the stream itself is sure of that, since a consumer may be on a server that
        // lags behind the leader.
        match next_event(core, from.saturating_add(1)).await? {
            Some(message) => from = message.sequence - 1,
            None => {
                return Ok(Page { bounds: load_view(core).await?.bounds, events: Vec::new() });
            }
        }
        if end == End::ByConsumer {
            if started.elapsed() >= core.requests.timeout {
                return Err(StoreError::failed(
                    "read timed out: a server of NATS lags behind the leader",
                ));
            }
            sleep(LAG).await;
        }
        most = MOST;
    }
}

/// Reads the next messages.
async fn messages_after(
    core: &LogCore,
    sequence: u64,
    limit: PageLimit,
) -> Result<Read, StoreError> {
    if let Some(read) = few_after(core, sequence, limit).await? {
        return Ok(read);
    }
    let page_size = &core.requests.engine.page_size;
    let messages = limit.events.clamp(1, MOST.events) as u64;
    let bytes = limit.bytes.clamp(1, page_size.bytes());
    let consumer = match Consumer::after(core, sequence, Content::Whole).await {
        Ok(consumer) => consumer,
        Err(_) => {
            // This creates the stream if there is none.
            load_view(core).await?;
            Consumer::after(core, sequence, Content::Whole).await?
        }
    };
    if consumer.pending == 0 {
        let messages = Vec::new();
        return Ok(Read { messages, reached: sequence, end: End::ByConsumer, is_verified: true });
    }
    let requested = page_size.begin(bytes);
    let taken = consumer.take(messages, Some(bytes)).await?;
    requested.came();
    let is_end = taken.last().is_none_or(|delivered| delivered.pending == 0);
    let end = if is_end { End::ByConsumer } else { End::Unknown };
    let messages: Vec<_> = taken.into_iter().map(|delivered| delivered.message).collect();
    let reached = messages.last().map_or(sequence, |message| message.sequence);
    Ok(Read { messages, reached, end, is_verified: false })
}

/// Looks up the next messages one by one if they are few, which costs less than a consumer.
async fn few_after(
    core: &LogCore,
    sequence: u64,
    limit: PageLimit,
) -> Result<Option<Read>, StoreError> {
    let newest = core.seen().map_or(u64::MAX, |(_, newest)| newest.hi());
    let few = newest.saturating_sub(sequence);
    if few == 0 {
        let messages = Vec::new();
        return Ok(Some(Read { messages, reached: sequence, end: End::ByView, is_verified: true }));
    }
    if limit.events == 1 {
        let next = next(core, sequence.saturating_add(1)).await?;
        let reached = next.as_ref().map_or(sequence, |next| next.sequence);
        let end = if next.is_some() { End::Unknown } else { End::ByView };
        return Ok(Some(Read { messages: Vec::from_iter(next), reached, end, is_verified: true }));
    }
    if few > FEW
        || few.saturating_mul(core.average.load(Relaxed)) > (limit.bytes as u64).min(FEW_BYTES)
    {
        return Ok(None);
    }
    let messages = try_join_all((sequence + 1..=newest).map(|number| get(core, number))).await?;
    let messages = messages.into_iter().flatten().collect();
    Ok(Some(Read { messages, reached: newest, end: End::ByView, is_verified: true }))
}

/// Returns the events without those that a newer event of the same key here supersedes: the server removes only events that were appended alone.
pub(crate) fn without_superseded(events: impl Iterator<Item = StoredEvent>) -> Vec<StoredEvent> {
    let mut events: Vec<_> = events.collect();
    let mut newer = HashSet::new();
    events.reverse();
    events.retain(|event| event.key.as_ref().is_none_or(|key| newer.insert(Arc::clone(key))));
    events.reverse();
    events
}

/// Returns as many events as the limit allows, but at least one.
pub(crate) fn within(mut events: Vec<StoredEvent>, limit: PageLimit) -> Vec<StoredEvent> {
    let mut bytes = 0;
    let fitting = events.iter().take(limit.events).take_while(|event| {
        bytes += event.block.len();
        bytes <= limit.bytes
    });
    let fitting = fitting.count().max(1);
    events.truncate(fitting);
    events
}
