use std::slice;

use crate::log::handle::EventLog;
use crate::log::store_events::{append_to, ids, size_of};
use crate::store::{Appended, EncodedEvent, Store};
use crate::{Error, EventId, NewEvent};

impl EventLog {
    /// Adds an event and returns its id. Once it is returned the event is stored, and every stream gets it.
    ///
    /// An event can have a key, of whose events the log keeps only the newest ([`Event::key`](crate::Event::key)), and an idempotency key, by
    /// which a second attempt is known ([`Event::idempotency_key`](crate::Event::idempotency_key)).
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append("some text").await?;
    /// log.append(Event::typed("reading", "12 %").key("cpu")?).await?;
    /// assert_eq!(log.stats().events, 2);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_invalid_event`](Error::is_invalid_event) if the event has an id, since the log gives the ids, or no data, since no client
    ///   would see it.
    /// - [`is_too_large`](Error::is_too_large) if it is larger than
    ///   [`StoreOptions::largest_event`](crate::StoreOptions::largest_event).
    /// - [`is_finished`](Error::is_finished) if the log is finished.
    /// - [`is_store`](Error::is_store) if the store still fails after [`StoreOptions::store_wait`](crate::StoreOptions::store_wait). Whether
    ///   the event was stored may then be unknown ([`is_outcome_unknown`](Error::is_outcome_unknown)): an event with an idempotency key
    ///   can be appended again.
    ///
    /// # Cancel safety
    ///
    /// In memory it never waits: it has happened once it was polled. Over a store the outcome of a call that was dropped is unknown.
    pub async fn append(&self, event: impl Into<NewEvent>) -> Result<EventId, Error> {
        self.append_one(self.encode(event)?).await
    }

    /// Adds these events, one right after the other, and returns their ids. Either all are added or none is, and those who
    /// wait are woken once. In memory, of more than [`LogOptions::events`](crate::LogOptions::events) only the newest stay, and every client
    /// is told of a gap. All are added under one lock, of about half a microsecond for each event.
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let ids = log.append_all([Event::new("12 %").key("cpu")?, Event::new("3 GB").key("memory")?]).await?;
    /// assert_eq!(ids.len(), 2);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`append`](EventLog::append), if the log refuses any of them.
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](EventLog::append).
    pub async fn append_all<I>(&self, events: I) -> Result<Vec<EventId>, Error>
    where
        I: IntoIterator,
        I::Item: Into<NewEvent>,
    {
        let events: Result<Vec<_>, _> =
            events.into_iter().map(|event| self.encode(event)).collect();
        self.append_encoded(events?).await
    }

    pub(crate) async fn append_encoded(
        &self,
        events: Vec<EncodedEvent>,
    ) -> Result<Vec<EventId>, Error> {
        let size = self.observer().map(|_| size_of(&events));
        let ids = match &self.0.store {
            _ if events.is_empty() => Ok(Vec::new()),
            Some(store) => Ok(ids(&self.append_stored(&**store, &events).await?).collect()),
            None => self.append_all_here(events),
        };
        self.tell_of_appended(size.filter(|_| ids.is_ok()));
        ids
    }

    pub(crate) fn encode(&self, event: impl Into<NewEvent>) -> Result<EncodedEvent, Error> {
        event.into().encode(self.0.options.largest_event_allowed())
    }

    async fn append_one(&self, event: EncodedEvent) -> Result<EventId, Error> {
        let size = self.observer().map(|_| size_of(slice::from_ref(&event)));
        let id = match &self.0.store {
            Some(store) => {
                let appended = self.append_stored(&**store, &[event]).await?;
                ids(&appended).next().expect("each event has been given an id")
            }
            None => self.append_one_here(event)?,
        };
        self.tell_of_appended(size);
        Ok(id)
    }

    async fn append_stored(
        &self,
        store: &dyn Store,
        events: &[EncodedEvent],
    ) -> Result<Appended, Error> {
        let deletions = self.deletions();
        let appended = append_to(store, &self.0.timer, &self.0.options, events).await?;
        self.acknowledge(events, &appended, deletions);
        Ok(appended)
    }
}
