use crate::id::Origin;
use crate::log::handle::EventLog;
use crate::sync::wakers::wake_all;
use crate::{Epoch, Error, EventId, GapReason, Position};

impl EventLog {
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
    /// None in memory. Where the store fails ([`is_store`](Error::is_store)) it can be called again.
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append); it can be called again.
    pub async fn finish(&self) -> Result<(), Error> {
        if let Some(store) = &self.0.store {
            return self.call("finishing the log", store.finish()).await;
        }
        let mut state = self.lock();
        state.is_finished = true;
        let woken = state.readers.take();
        drop(state);
        woken.wake();
        Ok(())
    }

    /// Removes one event for good, as a person may ask for whom it is about: no reader sees it from now on, and its absence is no
    /// gap. Where it is there no more nothing changes. What streams have taken already goes out. Over a store, other processes may give it
    /// to their clients until the engine has told them, or for up to [`StoreOptions::store_check`](crate::StoreOptions::store_check).
    ///
    /// # Errors
    ///
    /// Where the id is none of this log ([`is_gap`](Error::is_gap)), and where the store fails ([`is_store`](Error::is_store)).
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append); it can be called again.
    pub async fn delete(&self, id: &EventId) -> Result<(), Error> {
        let located = match &self.0.store {
            // As the store sees it: here another epoch may not be known yet, in which the position is that of another event.
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
            // The store has let go of it already. Here it may be held still.
            Err(error) if error.gap().is_some_and(|gap| gap.reason == GapReason::TooOld) => {
                if let Some((epoch, position)) = Origin::place_of(id.as_str()) {
                    self.delete_here(epoch, position);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// No reader of this process sees it from now on.
    fn delete_here(&self, epoch: Epoch, position: Position) {
        let mut state = self.lock();
        let is_here = state.tail.epoch() == epoch;
        let is_to_come = is_here && position > state.tail.newest();
        state.deletions += 1;
        if is_here {
            state.tail.delete(position);
        }
        let woken = state.behind.as_mut().map(|behind| {
            behind.recent.forget(&[position]);
            if is_to_come {
                behind.remember_deleted(position);
            }
            behind.forget_pages()
        });
        drop(state);
        wake_all(woken.into_iter().flatten());
    }

    /// Begins another life of the log, with other ids: every client that comes back is told of a gap. To be called after a store was
    /// restored from a backup while no process ran, since nobody could notice that. In memory the events are gone, too.
    ///
    /// # Errors
    ///
    /// - [`is_store`](Error::is_store) if the store fails.
    /// - [`is_no_randomness`](Error::is_no_randomness) if the system has no random numbers.
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append); it can be called again.
    pub async fn new_epoch(&self) -> Result<(), Error> {
        if let Some(store) = &self.0.store {
            // The store's, which may be one that this process has not seen yet.
            let epoch = self.call("asking for its bounds", store.bounds()).await?.epoch;
            self.call("beginning an epoch", store.begin_epoch(epoch)).await?;
            self.want_check();
            return Ok(());
        }
        let epoch = Epoch::random()?;
        let mut state = self.lock();
        let newest = state.tail.newest();
        let dropped = (state.tail.begin_epoch(epoch, newest), state.remembered.begin_epoch());
        let woken = state.readers.take();
        drop(state);
        drop(dropped);
        woken.wake();
        Ok(())
    }
}
