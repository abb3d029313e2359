//! Appending from code that cannot await: the events wait in a queue for the follower, which stores them.

use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::error::StoreLabel;
use crate::log::handle::EventLog;
use crate::log::options::StoreOptions;
use crate::log::queue::Queued;
use crate::store::StoreError;
use crate::{Error, EventId, NewEvent};

impl EventLog {
    /// Adds an event from code that cannot await: a thread, a callback, a `tracing` layer.
    ///
    /// In memory the event is added when this returns. Over a store the event waits, with at most 1023 others and 16 MiB in all, for the
    /// [`Follower`](crate::Follower), which stores them in the order of the calls; the [`Receipt`] returns the result. A receipt may be
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
    /// - The errors of [`append`](EventLog::append) if the log refuses the event itself, or is known to be finished.
    /// - [`is_queue_full`](Error::is_queue_full) if too many events wait already: nothing was stored, and the event can be added later.
    /// - [`is_store`](Error::is_store) if the follower is gone.
    #[doc(alias("try_send", "publish_sync"))]
    pub fn append_now(&self, event: impl Into<NewEvent>) -> Result<Receipt, Error> {
        let event = self.encode(event)?;
        if self.0.store.is_none() {
            let size = self.observer().map(|_| (1, event.block.len()));
            let id = self.append_one_here(event)?;
            self.tell_of_appended(size);
            return Ok(Receipt(Outcome::Known(id)));
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

/// The pending result of [`EventLog::append_now`].
///
/// ```
/// use sse_core::{EventLog, Receipt};
///
/// let log = EventLog::in_memory(1000);
/// let receipt: Receipt = log.append_now("hello")?;
/// assert_eq!(receipt.wait()?, log.stats().newest);
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Receipt(Outcome);

#[derive(Debug)]
enum Outcome {
    Known(EventId),
    Awaited { result: Receiver<Result<EventId, Error>>, within: Duration },
}

impl Receipt {
    /// Blocks until the event is stored, and returns its id. Do not call it on the thread that runs the follower, which would wait for itself.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let id = log.append_now("hello")?.wait()?;
    /// assert_eq!(id.epoch(), Some(log.epoch()));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - The errors of [`append`](EventLog::append).
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the result does not arrive within twice the sum of
    ///   [`store_timeout`](StoreOptions::store_timeout) and [`store_wait`](StoreOptions::store_wait), and 1 s: the event may be stored later.
    pub fn wait(self) -> Result<EventId, Error> {
        let (result, within) = match self.0 {
            Outcome::Known(id) => return Ok(id),
            Outcome::Awaited { result, within } => (result, within),
        };
        result.recv_timeout(within).unwrap_or_else(|_| {
            let error = format!("the follower of the log has not stored it within {within:?}");
            Err(Error::store(
                StoreLabel::default(),
                "appending",
                StoreError::outcome_unknown(error),
                true,
            ))
        })
    }
}
