use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sse_core::Cursor;
use sse_core::store::{Page, PageLimit, StoreError, StoredEvent};
use tokio::time::{Instant, sleep};

use crate::bounds::look;
use crate::consumer::{Consumer, Content};
use crate::get::next_event;
use crate::message::Message;
use crate::store::Shared;

/// The most messages and bytes that are read at a time, whatever is wanted.
const MOST: PageLimit = PageLimit { events: 1000, bytes: 8 << 20 };
/// How long one waits for a server that lags behind, before it is asked again.
const LAG: Duration = Duration::from_millis(10);
/// How long the server remembers a consumer whose reader has gone.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

/// The events after this position, and what held after they were read.
pub(crate) async fn read(
    shared: &Shared,
    after: Cursor,
    limit: PageLimit,
) -> Result<Page, StoreError> {
    let (mut from, mut most) = (after.hi(), limit);
    let (mut begun, beginning) = (shared.begun.take(after), Instant::now());
    loop {
        let (messages, is_end, of) = match begun.take() {
            Some(begun) => (vec![begun.message], false, Some(begun.of)),
            None => {
                let (messages, is_end) = messages_after(shared, from, most).await?;
                (messages, is_end, None)
            }
        };
        let look = look(shared).await?;
        let now = (look.bounds.epoch, look.bounds.deletions);
        if of.is_some_and(|of| of != now) {
            // What was kept may have been deleted since.
            continue;
        }
        from = messages.last().map_or(from, |message| message.sequence);
        let events = messages.iter().flat_map(|message| message.events(&shared.names));
        let begin = after.max(look.bounds.floor);
        let events = events.filter(|event| event.cursor > begin);
        let events = without_hidden(events, &look.record.hidden);
        let events = within(without_superseded(events), limit);
        if let Some(last) = events.last() {
            shared.begun.keep(last.cursor, messages, now);
        }
        if !events.is_empty() || (is_end && look.info.state.last_seq <= from) {
            return Ok(Page { bounds: look.bounds, events });
        }
        // All of them were deleted, or are notes: there may be events after them. A consumer does not always know: it may be on a server that
        // lags behind the one that leads, which is the one that is asked here.
        match next_event(shared, from.saturating_add(1)).await? {
            Some(message) => from = message.sequence - 1,
            None => {
                return Ok(Page { bounds: self::look(shared).await?.bounds, events: Vec::new() });
            }
        }
        if is_end {
            if beginning.elapsed() >= shared.connection.timeout() {
                return Err(StoreError::failed("a server of NATS lags behind the one that leads"));
            }
            sleep(LAG).await;
        }
        most = MOST;
    }
}

/// The next messages, and whether there is nothing after them.
async fn messages_after(
    shared: &Shared,
    sequence: u64,
    limit: PageLimit,
) -> Result<(Vec<Message>, bool), StoreError> {
    let messages = limit.events.clamp(1, MOST.events) as u64;
    let bytes = limit.bytes.clamp(1, MOST.bytes);
    let consumer = match Consumer::after(shared, sequence, Content::Whole, FORGOTTEN_AFTER).await {
        Ok(consumer) => consumer,
        Err(error) => {
            // Where there is no stream, there is one after this.
            look(shared).await?;
            return Err(error);
        }
    };
    if consumer.pending == 0 {
        consumer.forget(shared).await;
        return Ok((Vec::new(), true));
    }
    let taken = consumer.take(shared, messages, Some(bytes)).await?;
    let is_end = taken.last().is_none_or(|delivered| delivered.pending == 0);
    Ok((taken.into_iter().map(|delivered| delivered.message).collect(), is_end))
}

pub(crate) fn without_hidden(
    events: impl Iterator<Item = StoredEvent>,
    hidden: &BTreeSet<Cursor>,
) -> impl Iterator<Item = StoredEvent> {
    events.filter(|event| !hidden.contains(&event.cursor))
}

/// Those of which there is no newer one of the same key here: the server removes only those that were appended alone.
fn without_superseded(events: impl Iterator<Item = StoredEvent>) -> Vec<StoredEvent> {
    let mut events: Vec<_> = events.collect();
    let mut newer = HashSet::new();
    events.reverse();
    events.retain(|event| event.key.as_ref().is_none_or(|key| newer.insert(Arc::clone(key))));
    events.reverse();
    events
}

/// As many as a page may have; one in any case.
fn within(mut events: Vec<StoredEvent>, limit: PageLimit) -> Vec<StoredEvent> {
    let mut bytes = 0;
    let fitting = events.iter().take(limit.events).take_while(|event| {
        bytes += event.block.len();
        bytes <= limit.bytes
    });
    let fitting = fitting.count().max(1);
    events.truncate(fitting);
    events
}
