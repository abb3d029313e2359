use crate::log::handle::EventLog;
use crate::log::store_events::{append_to, ids};
use crate::store::{Appended, NewEvent, Store};
use crate::{Error, Event, EventId};

impl EventLog {
    /// Adds an event and returns its id. Once it is returned the event is stored, and every stream gets it.
    ///
    /// # Errors
    ///
    /// The log refuses an event that has an id of its own, since the log gives the ids
    /// ([`is_invalid_event`](Error::is_invalid_event)); one without data, which no client would see (likewise); and one that is
    /// larger than [`StoreOptions::largest_event`](crate::StoreOptions::largest_event) ([`is_too_large`](Error::is_too_large)). A finished log
    /// refuses every event ([`is_finished`](Error::is_finished)).
    ///
    /// Over a store: where that fails ([`is_store`](Error::is_store)), after it was tried again for
    /// [`StoreOptions::store_wait`](crate::StoreOptions::store_wait). Whether the event was stored may then be unknown
    /// ([`is_outcome_unknown`](Error::is_outcome_unknown)): [`append_once`](EventLog::append_once) can be called again.
    ///
    /// # Cancel safety
    ///
    /// In memory it never waits: it has happened once it was polled. Over a store the outcome of a call that was dropped is unknown.
    pub async fn append(&self, event: impl Into<Event>) -> Result<EventId, Error> {
        self.append_one(self.encode(event)?).await
    }

    /// Adds an event under a key: of all events of one key only the newest is kept, so that those who fall behind, or join late,
    /// get that one alone. Those who keep up get each. The key has 1 to 128 bytes.
    ///
    /// ```
    /// use sse_core::{EventLog, Start};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let before = log.stats().newest;
    /// log.append_keyed("cpu", "12 %").await?;
    /// log.append_keyed("memory", "3 GB").await?;
    /// log.append_keyed("cpu", "97 %").await?;
    ///
    /// let late = log.read_after(&before, 100).await?;
    /// let late: Vec<_> = late.iter().filter_map(|frame| frame.to_event().data).collect();
    /// assert_eq!(late, ["3 GB", "97 %"]);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`append`](EventLog::append); and where the key is empty or too long ([`is_invalid_event`](Error::is_invalid_event)).
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append).
    pub async fn append_keyed(&self, key: &str, event: impl Into<Event>) -> Result<EventId, Error> {
        self.append_one(self.encode(event)?.with_key(key)?).await
    }

    /// Adds an event unless one was added with this idempotency key lately; the answer is the id of the first, also if that is no longer
    /// kept, or the log is finished by now. So an append whose outcome is unknown can be tried again. The key has 1 to 128 bytes, and is
    /// remembered for [`StoreOptions::idempotency_window`](crate::StoreOptions::idempotency_window).
    ///
    /// # Errors
    ///
    /// As for [`append_keyed`](EventLog::append_keyed).
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append); it can be called again.
    pub async fn append_once(
        &self,
        idempotency_key: &str,
        event: impl Into<Event>,
    ) -> Result<EventId, Error> {
        self.append_one(self.encode(event)?.with_idempotency_key(idempotency_key)?).await
    }

    /// Adds these events, one right after the other, and returns their ids. Either all are added or none is, and those who
    /// wait are woken once. In memory, of more than [`LogOptions::events`](crate::LogOptions::events) only the newest stay, and every client
    /// is told of a gap. All are added under one lock, of about half a microsecond for each event.
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
        let events: Result<Vec<_>, _> =
            events.into_iter().map(|event| self.encode(event)).collect();
        self.append_checked(events?).await
    }

    /// Adds events that have been encoded for this log, each with the keys that it was given; otherwise as
    /// [`append_all`](EventLog::append_all).
    ///
    /// # Errors
    ///
    /// As for [`append`](EventLog::append).
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append).
    pub async fn append_encoded(&self, events: Vec<NewEvent>) -> Result<Vec<EventId>, Error> {
        let largest = self.0.options.largest_event_allowed();
        // Their fields are public: what was checked when they were made may have been changed.
        events.iter().try_for_each(|event| event.check(largest))?;
        self.append_checked(events).await
    }

    async fn append_checked(&self, events: Vec<NewEvent>) -> Result<Vec<EventId>, Error> {
        match &self.0.store {
            _ if events.is_empty() => Ok(Vec::new()),
            Some(store) => Ok(ids(&self.append_stored(&**store, &events).await?).collect()),
            None => self.append_all_here(events),
        }
    }

    /// Encodes an event for this log, to be given keys and to [`append_encoded`](EventLog::append_encoded).
    ///
    /// # Errors
    ///
    /// As for [`append`](EventLog::append), as far as the event itself is refused.
    pub fn encode(&self, event: impl Into<Event>) -> Result<NewEvent, Error> {
        NewEvent::encode(&event.into(), self.0.options.largest_event_allowed())
    }

    async fn append_one(&self, event: NewEvent) -> Result<EventId, Error> {
        let Some(store) = &self.0.store else { return self.append_one_here(event) };
        let appended = self.append_stored(&**store, &[event]).await?;
        Ok(ids(&appended).next().expect("each event has been given an id"))
    }

    async fn append_stored(
        &self,
        store: &dyn Store,
        events: &[NewEvent],
    ) -> Result<Appended, Error> {
        let deletions = self.deletions();
        let appended = append_to(store, &self.0.timer, &self.0.options, events).await?;
        self.acknowledge(events, &appended, deletions);
        Ok(appended)
    }
}
