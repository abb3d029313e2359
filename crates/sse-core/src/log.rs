use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use crate::cursor::{Cursor, Epoch};
use crate::wakers::Wakers;
use crate::{Error, Event, EventId, Feed, Frame, GapReason, Shutdown, encode};

mod options;
mod page;
mod reader;
mod state;
mod stats;
mod tail;

pub use options::LogOptions;
pub use stats::LogStats;

pub(crate) use reader::Reader;
use state::State;
use tail::{Limits, Tail};

/// What one appends to and streams from: the events of a stream, in order, the newest of them kept for those who come back.
///
/// A cheap handle: a clone is the same log. Each event is encoded once; each client is a position in the log, so that replay,
/// live and catching up after a pause are the same, and a slow client costs what a fast one does.
///
/// The ids it gives are `epoch.position`: they name this log alone, so that an id from before a restart is noticed.
///
/// ```
/// use sse_core::{Event, EventLog};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let first = log.append(Event::new("one")).await?;
/// let second = log.append(Event::new("two")).await?;
///
/// let missed = log.read_after(&first, 100).await?;
/// assert_eq!(missed.len(), 1);
/// assert_eq!(missed[0].id(), Some(&second));
/// assert_eq!(missed[0].to_event().data.as_deref(), Some("two"));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Clone)]
pub struct EventLog(Arc<Shared>);

impl EventLog {
    /// A log in memory that keeps this many events: `EventLog::in_memory(1000)`, or [`LogOptions`] for more to choose.
    ///
    /// It lives as long as the process. After a restart every id of before is a gap, and clients are told by a `reset` event.
    pub fn in_memory(options: impl Into<LogOptions>) -> Self {
        let options = options.into();
        let limits = Limits { events: options.events.max(1), bytes: options.bytes };
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                tail: Tail::new(Epoch::random(), limits),
                readers: Wakers::default(),
                is_finished: false,
            }),
            largest_event: options.largest_event,
            shutdown: Shutdown::new(),
        }))
    }

    /// Adds an event and returns its id. Once it is returned the event is stored, and every stream gets it.
    ///
    /// # Errors
    ///
    /// The log refuses an event that has an id of its own, since the log gives the ids
    /// ([`is_invalid_event`](Error::is_invalid_event)); one without data, which no client would see (likewise); and one that is
    /// larger than [`LogOptions::largest_event`] ([`is_too_large`](Error::is_too_large)). A finished log refuses every event
    /// ([`is_finished`](Error::is_finished)).
    ///
    /// # Cancel safety
    ///
    /// In memory it never waits: it has happened once it was polled.
    pub async fn append(&self, event: impl Into<Event>) -> Result<EventId, Error> {
        let mut ids = self.append_blocks(vec![self.encode(&event.into())?])?;
        Ok(ids.pop().expect("each block has been given an id"))
    }

    /// Adds these events, one right after the other, and returns their ids. Either all are added or none is, and those who
    /// wait are woken once. Of more than [`LogOptions::events`] only the newest stay, and every client is told of a gap.
    ///
    /// # Errors
    ///
    /// As for [`append`](EventLog::append), where any of them is refused.
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append).
    pub async fn append_all<I>(&self, events: I) -> Result<Vec<EventId>, Error>
    where
        I: IntoIterator,
        I::Item: Into<Event>,
    {
        let blocks = events.into_iter().map(|event| self.encode(&event.into()));
        self.append_blocks(blocks.collect::<Result<_, _>>()?)
    }

    /// The newest event is the last: streams end once they have delivered it, and a client that has seen it, or that would begin
    /// live, is answered 204, so that a browser asks no more. What is kept can still be read. A second time changes nothing.
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append(Event::new("done")).await?;
    /// log.finish().await?;
    /// assert!(log.append(Event::new("more")).await.unwrap_err().is_finished());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None in memory.
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append).
    pub async fn finish(&self) -> Result<(), Error> {
        let mut state = self.lock();
        state.is_finished = true;
        let woken = state.readers.take();
        drop(state);
        woken.wake();
        Ok(())
    }

    /// The event with this id.
    ///
    /// # Errors
    ///
    /// Where it is not here ([`is_gap`](Error::is_gap)).
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed by it.
    pub async fn get(&self, id: &EventId) -> Result<Frame, Error> {
        let mut state = self.lock();
        let position = state.position_of(id)?;
        // An id just before the oldest event can be resumed from, though its event is gone.
        match state.tail.read_one(position) {
            Some(bytes) => Ok(Frame::from_log(bytes, id.clone())),
            None => Err(state.gap(GapReason::TooOld).into()),
        }
    }

    /// The events after this one, at most `limit` of them, oldest first.
    ///
    /// # Errors
    ///
    /// Where what follows the id is not all here ([`is_gap`](Error::is_gap)).
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed by it.
    pub async fn read_after(&self, id: &EventId, limit: usize) -> Result<Vec<Frame>, Error> {
        let mut state = self.lock();
        let after = state.position_of(id)?;
        let end = after.0.saturating_add(limit as u64).min(state.tail.newest().0);
        let epoch = state.tail.epoch();
        let events = (after.0..end)
            .map(|before| (Cursor(before + 1), state.tail.read_one(Cursor(before + 1))));
        Ok(events.filter_map(|(at, bytes)| Some(Frame::from_log(bytes?, at.id(epoch)))).collect())
    }

    /// A feed of this log, to be given options: `log.feed().keep_alive(..)`. Without any, the log itself will do.
    pub fn feed(&self) -> Feed {
        Feed::from(self)
    }

    /// What ends the streams of this log.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// What the log holds at this moment.
    pub fn stats(&self) -> LogStats {
        let state = self.lock();
        LogStats {
            readers: state.readers.len(),
            events: state.tail.len(),
            bytes: state.tail.bytes(),
            newest: state.tail.newest().id(state.tail.epoch()),
            is_finished: state.is_finished,
        }
    }

    fn append_blocks(&self, blocks: Vec<BytesMut>) -> Result<Vec<EventId>, Error> {
        if blocks.is_empty() {
            return Ok(Vec::new());
        }
        let mut state = self.lock();
        if state.is_finished {
            return Err(Error::finished());
        }
        let epoch = state.tail.epoch();
        let ids = blocks.into_iter().map(|block| state.tail.push(block).id(epoch)).collect();
        let woken = state.readers.take();
        drop(state);
        woken.wake();
        Ok(ids)
    }

    fn encode(&self, event: &Event) -> Result<BytesMut, Error> {
        if event.id.is_some() {
            return Err(Error::invalid_event("it has an id of its own, and the log gives the ids"));
        }
        if event.data.is_none() {
            return Err(Error::invalid_event(
                "it has no data, so no client would see it: give it data, which may be empty",
            ));
        }
        let mut block = BytesMut::new();
        encode::block(event, &mut block);
        if block.len() > self.0.largest_event {
            return Err(Error::too_large(block.len(), self.0.largest_event));
        }
        Ok(block)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Shared {
    state: Mutex<State>,
    largest_event: usize,
    shutdown: Shutdown,
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventLog").field(&self.stats()).finish()
    }
}
