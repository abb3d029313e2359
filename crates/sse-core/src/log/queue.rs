//! Appending from code that cannot await: events wait in a queue for the follower, which stores them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::log::append::{append_to, ids};
use crate::log::follow::{Follow, Unused};
use crate::log::{EventLog, StoreOptions};
use crate::store::{NewEvent, StoreError};
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::{Error, Event, EventId};

/// How many events wait at the most, and how many bytes of them.
const QUEUED: (usize, usize) = (1024, 16 * 1024 * 1024);
/// How many are stored in one call: what every engine takes at once.
const AT_ONCE: (usize, usize) = (256, 64 * 1024);

impl EventLog {
    /// Adds an event from code that cannot await: a thread, a callback, a `tracing` layer.
    ///
    /// In memory it has happened when this returns. Over a store the event waits, with at most 1023 others and 16 MiB in all, for the
    /// [`Follower`](crate::Follower), which stores them in the order of the calls; the [`Receipt`] says what came of it. A receipt may be
    /// dropped.
    ///
    /// ```
    /// use sse_core::EventLog;
    ///
    /// let log = EventLog::in_memory(1000);
    /// let id = log.append_now("from a thread")?.wait()?;
    /// assert_eq!(log.stats().newest, id);
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - Those of [`append`](EventLog::append), as far as the event itself is refused, or the log is known to be finished.
    /// - [`is_queue_full`](Error::is_queue_full) if too many wait already: nothing was stored, and the event can be added later.
    /// - [`is_store`](Error::is_store) if the follower is gone.
    pub fn append_now(&self, event: impl Into<Event>) -> Result<Receipt, Error> {
        let event = self.encode(event)?;
        if self.0.store.is_none() {
            return self.append_one_here(event).map(|id| Receipt(Outcome::Known(id)));
        }
        if self.lock().is_finished {
            return Err(Error::finished());
        }
        let (told, result) = mpsc::sync_channel(1);
        self.0.queue.push(Queued { event, told })?;
        let StoreOptions { store_timeout, store_wait, .. } = self.0.options;
        let within = 2 * (store_timeout + store_wait) + Duration::from_secs(1);
        Ok(Receipt(Outcome::Awaited { result, within }))
    }
}

/// What says whether an event of [`EventLog::append_now`] was stored.
#[derive(Debug)]
pub struct Receipt(Outcome);

#[derive(Debug)]
enum Outcome {
    Known(EventId),
    Awaited { result: Receiver<Result<EventId, Error>>, within: Duration },
}

impl Receipt {
    /// Blocks until the event is stored, and returns its id. Not to be called on the thread that runs the follower, which would wait
    /// for itself.
    ///
    /// # Errors
    ///
    /// Those of [`append`](EventLog::append). If there is no answer within twice
    /// [`store_timeout`](StoreOptions::store_timeout) and [`store_wait`](StoreOptions::store_wait) and a second, whether it was or will be
    /// stored is not known ([`is_outcome_unknown`](Error::is_outcome_unknown)).
    pub fn wait(self) -> Result<EventId, Error> {
        let (result, within) = match self.0 {
            Outcome::Known(id) => return Ok(id),
            Outcome::Awaited { result, within } => (result, within),
        };
        result.recv_timeout(within).unwrap_or_else(|_| {
            let error = format!("the follower of the log has not stored it within {within:?}");
            Err(Error::store("appending", StoreError::outcome_unknown(error), true))
        })
    }
}

/// What waits to be stored.
#[derive(Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    queued: VecDeque<Queued>,
    bytes: usize,
    follower: Option<Waker>,
    is_closed: bool,
}

struct Queued {
    event: NewEvent,
    told: SyncSender<Result<EventId, Error>>,
}

impl Queue {
    fn push(&self, queued: Queued) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::store("appending", follower_is_gone(), false));
        }
        let bytes = state.bytes + queued.event.block.len();
        if state.queued.len() >= QUEUED.0 || (bytes > QUEUED.1 && !state.queued.is_empty()) {
            return Err(Error::queue_full(QUEUED.0, QUEUED.1));
        }
        state.bytes = bytes;
        state.queued.push_back(queued);
        let follower = state.follower.take();
        drop(state);
        follower.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Nobody stores what waits any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let (queued, follower) = (std::mem::take(&mut state.queued), state.follower.take());
        drop(state);
        drop(follower);
        for Queued { told, .. } in queued {
            drop(told.try_send(Err(Error::store("appending", follower_is_gone(), false))));
        }
    }

    /// The next events, as many as are stored at once.
    async fn next(&self) -> (Vec<NewEvent>, Vec<SyncSender<Result<EventId, Error>>>) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.queued.is_empty() {
                let unneeded = state.follower.replace(cx.waker().clone());
                drop(state);
                drop(unneeded);
                return Poll::Pending;
            }
            let (mut count, mut bytes) = (0, 0);
            for Queued { event, .. } in state.queued.iter().take(AT_ONCE.0) {
                bytes += event.block.len();
                if count > 0 && bytes > AT_ONCE.1 {
                    break;
                }
                count += 1;
            }
            let taken: Vec<Queued> = state.queued.drain(..count).collect();
            state.bytes -= taken.iter().map(|queued| queued.event.block.len()).sum::<usize>();
            Poll::Ready(taken.into_iter().map(|queued| (queued.event, queued.told)).unzip())
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores what waits, in its order.
pub(super) async fn run(
    follow: &Follow,
    queue: &Queue,
    options: &StoreOptions,
) -> Result<(), Unused> {
    loop {
        let (events, told) = queue.next().await;
        let deletions = follow.log()?.deletions();
        match append_to(&*follow.store, &follow.timer, options, &events).await {
            Ok(appended) => {
                follow.appending.is_over();
                if let Ok(log) = follow.log() {
                    log.acknowledge(&events, &appended, deletions);
                }
                told.iter().zip(ids(&appended)).for_each(|(told, id)| drop(told.try_send(Ok(id))));
            }
            Err(error) => {
                // Those who kept their receipts are told each.
                follow.appending.begins(&error);
                told.iter().for_each(|told| drop(told.try_send(Err(error.clone()))));
            }
        }
    }
}

fn follower_is_gone() -> StoreError {
    StoreError::failed(
        "the follower of the log, which stores what is appended without waiting, is gone",
    )
}
