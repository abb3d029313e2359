use crate::id::Origin;
use crate::log::handle::EventLog;
use crate::sync::wakers::wake_all;
use crate::{Epoch, Error, EventId, GapReason, Position};

impl EventLog {
    /// Marks the newest event as the last. To append that event in the same step, call [`finish_with`](EventLog::finish_with). Streams end once they have delivered it. A client that has seen it, or that would begin live, gets
    /// a 204, so that a browser does not reconnect. The events that are kept can still be read. A second call changes nothing.
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
    /// [`is_store`](Error::is_store) if the store fails: call it again. In memory it never fails.
    ///
    /// # Cancel safety
    ///
    /// The same as [`append`](EventLog::append); it can be called again.
    #[doc(alias("close", "end"))]
    pub async fn finish(&self) -> Result<(), Error> {
        if let Some(store) = &self.0.store {
            return self.call("finishing the log", store.finish()).await;
        }
        let mut state = self.lock();
        state.is_finished = true;
        let woken = state.take_all_readers();
        drop(state);
        woken.wake();
        Ok(())
    }

    /// Deletes one event for good, for example because it concerns a person who requests it. No reader sees it from now on, and its absence
    /// is no gap. If it is no longer there, nothing changes. A stream that has already read it still sends it. Over a store, other processes
    /// may send it to their clients until the engine has told them, or for up to
    /// [`StoreOptions::store_check`](crate::StoreOptions::store_check).
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let ids = log.append_all(["one", "two"]).await?;
    /// log.delete(&ids[1]).await?;
    /// assert!(log.get(&ids[1]).await.is_err());
    /// assert!(log.read_after(&ids[0], 100).await?.is_empty());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_gap`](Error::is_gap) if the id is not of this log.
    /// - [`is_store`](Error::is_store) if the store fails.
    ///
    /// # Cancel safety
    ///
    /// The same as [`append`](EventLog::append); it can be called again.
    #[doc(alias = "remove")]
    pub async fn delete(&self, id: &EventId) -> Result<(), Error> {
        let located = match &self.0.store {
            // Resolved by the store: this process may not know of a new epoch yet, in which the position is that of another event.
            Some(store) => self.locate_in(&**store, id).await,
            None => self.locate(id).await,
        };
        match located {
            Ok((epoch, position)) => {
                if let Some(store) = &self.0.store {
                    self.call("deleting an event", store.delete(position)).await?;
                }
                self.delete_here(epoch, position);
            }
            // The store has dropped it already. It may still be in this tail.
            Err(error) if error.gap().is_some_and(|gap| gap.reason == GapReason::TooOld) => {
                if let Some((epoch, position)) = Origin::parse(id.as_str()) {
                    self.delete_here(epoch, position);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Deletes an event from the tail: no reader of this process sees it from now on.
    fn delete_here(&self, epoch: Epoch, position: Position) {
        let mut state = self.lock();
        let is_here = state.tail.epoch() == epoch;
        let is_to_come = is_here && position > state.tail.newest();
        state.deletions += 1;
        if is_here {
            state.tail.delete(position);
        }
        let woken = state.backing.delete(position, is_to_come);
        drop(state);
        wake_all(woken);
    }

    /// Begins a new epoch of the log, with other ids: every client that comes back is told of a gap. In memory it also drops all events. Call
    /// it after a store was restored from a backup while no process ran, because no process could notice that.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let old = log.append("hello").await?;
    /// log.new_epoch().await?;
    /// let error = log.read_after(&old, 100).await.unwrap_err();
    /// assert_eq!(error.gap().unwrap().reason, sse_core::GapReason::OtherEpoch);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the store fails.
    /// - [`is_no_randomness`](Error::is_no_randomness) if the system has no random numbers.
    ///
    /// # Cancel safety
    ///
    /// The same as [`append`](EventLog::append); it can be called again.
    pub async fn new_epoch(&self) -> Result<(), Error> {
        if let Some(store) = &self.0.store {
            // The epoch of the store: this process may not have seen it yet.
            let epoch = self.call("asking for its bounds", store.bounds()).await?.epoch;
            self.call("beginning an epoch", store.begin_epoch(epoch)).await?;
            self.request_check();
            return Ok(());
        }
        let epoch = Epoch::random()?;
        let mut state = self.lock();
        let newest = state.tail.newest();
        let dropped = (state.tail.begin_epoch(epoch, newest), state.remembered.begin_epoch());
        let woken = state.take_all_readers();
        drop(state);
        drop(dropped);
        woken.wake();
        Ok(())
    }
}
