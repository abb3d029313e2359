use crate::log::follower::fetch;
use crate::log::handle::EventLog;
use crate::log::store_events::Then;
use crate::store::{EncodedEvent, StoredEvent};
use crate::{Epoch, Error, Frame, GapReason, Position};

/// Copies all events that a log keeps into another log, for example to move to another store, and returns their number.
///
/// Stop appending first, copy, then have all processes open the other log. A client that comes back from the old log is told of one
/// gap (`other-epoch`), and then gets all events: each store gives its own ids, so they differ. Keys are copied too. If the log is finished,
/// the copy is too.
///
/// ```
/// use sse_core::{EventLog, copy};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let (old, new) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
/// old.append_all(["one", "two"]).await?;
/// assert_eq!(copy(&old, &new).await?, 2);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
///
/// # Errors
///
/// - [`is_gap`](Error::is_gap) if `from` drops events before they were copied.
/// - The errors of [`append`](EventLog::append) to `to`.
/// - [`is_store`](Error::is_store) if a store fails.
///
/// The events copied before an error stay in `to`. Copying again adds none of them a second time within `to`'s
/// [`StoreOptions::idempotency_window`](crate::StoreOptions::idempotency_window).
///
/// # Cancel safety
///
/// The same as after an error.
pub async fn copy(from: &EventLog, to: &EventLog) -> Result<usize, Error> {
    let (mut after, mut count) = (from.floor_now().await?, 0);
    loop {
        let (epoch, events) = from.kept_after(after).await?;
        let Some(last) = events.last() else { break };
        after = last.position;
        count += events.len();
        let events: Vec<_> = events.into_iter().map(|event| copied(event, epoch)).collect();
        // The store may be another crate's, and may have returned invalid events.
        let largest = to.0.options.largest_event_allowed();
        events.iter().try_for_each(|event| {
            event.check(largest)?;
            to.check_topics(event)
        })?;
        to.append_encoded(events, Then::Continues).await?;
    }
    if from.stats().is_finished {
        to.finish().await?;
    }
    Ok(count)
}

/// Returns the event for another log, with an idempotency key so that it is added once.
fn copied(event: StoredEvent, epoch: Epoch) -> EncodedEvent {
    let id = event.position.id(epoch);
    let idempotency_key = Some(["copy of ", id.as_str()].concat().into());
    EncodedEvent { block: event.block, key: event.key, idempotency_key, topics: event.topics }
}

impl EventLog {
    async fn floor_now(&self) -> Result<Position, Error> {
        match &self.0.store {
            Some(store) => Ok(self.call("asking for its bounds", store.bounds()).await?.floor),
            None => Ok(self.lock_now().floor()),
        }
    }

    /// Returns some of the events after this position, as a store keeps them.
    async fn kept_after(&self, after: Position) -> Result<(Epoch, Vec<StoredEvent>), Error> {
        if let Some(store) = &self.0.store {
            let page = self.call("reading", store.read(after, fetch::LIMIT)).await?;
            if after < page.bounds.floor {
                return Err(self.lock_now().gap(GapReason::TooOld).into());
            }
            return Ok((page.bounds.epoch, page.events));
        }
        let mut state = self.lock_now();
        if after < state.tail.base() {
            return Err(state.gap(GapReason::TooOld).into());
        }
        let epoch = state.tail.epoch();
        let copied = state.tail.copy_after(after, fetch::LIMIT);
        let with_key = |(position, bytes)| {
            (position, bytes, state.tail.key_of(position), state.tail.topics_of(position))
        };
        let copied: Vec<_> = copied.into_iter().map(with_key).collect();
        drop(state);
        let events = copied.into_iter().map(|(position, bytes, key, topics)| {
            let size = Frame::from_log(bytes.clone(), position.id(epoch)).block().len();
            StoredEvent { position, block: bytes.slice(..size), key, topics }
        });
        Ok((epoch, events.collect()))
    }
}
