use std::slice;

use crate::log::handle::EventLog;
use crate::log::store_events::{Then, append_to, ids, size_of};
use crate::store::{Appended, EncodedEvent, Store};
use crate::{Error, EventId, InvalidTopic, NewEvent};

impl EventLog {
    /// Adds an event and returns its id. The event is then stored, and every stream gets it.
    ///
    /// An event can have a key ([`Event::key`](crate::Event::key)): the log keeps only the newest event of each key. It can also have an
    /// idempotency key ([`Event::idempotency_key`](crate::Event::idempotency_key)): the log recognizes a second attempt by it.
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
    /// - [`is_invalid_event`](Error::is_invalid_event) if the event has an id, because the log gives the ids, or no data, because no client
    ///   would see it.
    /// - [`is_too_large`](Error::is_too_large) if it is larger than
    ///   [`StoreOptions::largest_event`](crate::StoreOptions::largest_event).
    /// - [`is_finished`](Error::is_finished) if the log is finished.
    /// - [`is_store`](Error::is_store) if the store still fails after [`StoreOptions::store_wait`](crate::StoreOptions::store_wait). If the
    ///   outcome is unknown ([`is_outcome_unknown`](Error::is_outcome_unknown)), the event may have been stored: append it again if it has
    ///   an idempotency key.
    ///
    /// # Cancel safety
    ///
    /// In memory it never waits: the first poll adds the event. Over a store, if the future is dropped, the outcome is unknown.
    #[doc(alias("publish", "send", "push", "emit", "broadcast"))]
    pub async fn append(&self, event: impl Into<NewEvent>) -> Result<EventId, Error> {
        self.append_one(self.encode(event)?).await
    }

    /// Adds these events, one right after the other, and returns their ids. It adds all or none, and wakes each stream once. In memory, if
    /// there are more than [`LogOptions::events`](crate::LogOptions::events), only the newest are kept, and every client is told of a gap. It
    /// holds the lock of the log for about 0.5 µs for each event.
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
    /// The errors of [`append`](EventLog::append), if the log refuses any of the events.
    ///
    /// # Cancel safety
    ///
    /// The same as [`append`](EventLog::append).
    #[doc(alias("extend", "batch"))]
    pub async fn append_all<I>(&self, events: I) -> Result<Vec<EventId>, Error>
    where
        I: IntoIterator,
        I::Item: Into<NewEvent>,
    {
        let events: Result<Vec<_>, _> =
            events.into_iter().map(|event| self.encode(event)).collect();
        self.append_encoded(events?, Then::Continues).await
    }

    pub(crate) async fn append_encoded(
        &self,
        events: Vec<EncodedEvent>,
        then: Then,
    ) -> Result<Vec<EventId>, Error> {
        let size = self.observer().map(|_| size_of(&events));
        let ids = match &self.0.store {
            _ if events.is_empty() => Ok(Vec::new()),
            Some(store) => Ok(ids(&self.append_stored(&**store, &events, then).await?).collect()),
            None => self.append_all_here(events, then),
        };
        self.tell_of_appended(size.filter(|_| ids.is_ok()));
        ids
    }

    pub(crate) fn encode(&self, event: impl Into<NewEvent>) -> Result<EncodedEvent, Error> {
        let event = event.into().encode(self.0.options.largest_event_allowed())?;
        self.check_topics(&event)?;
        Ok(event)
    }

    /// Refuses topics if the store does not keep them, and an event without one if the log asks for it.
    pub(crate) fn check_topics(&self, event: &EncodedEvent) -> Result<(), Error> {
        match event.topics.is_empty() {
            true if self.0.options.topics_required => {
                Err(InvalidTopic::new("the log refuses an event without a topic", None).into())
            }
            false if !self.keeps_topics() => Err(Error::topics_unsupported()),
            _ => Ok(()),
        }
    }

    async fn append_one(&self, event: EncodedEvent) -> Result<EventId, Error> {
        let size = self.observer().map(|_| size_of(slice::from_ref(&event)));
        let id = match &self.0.store {
            Some(store) => {
                let appended = self.append_stored(&**store, &[event], Then::Continues).await?;
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
        then: Then,
    ) -> Result<Appended, Error> {
        let (deletions, begun) = (self.deletions(), self.0.timer.now());
        let appended = append_to(store, &self.0.timer, &self.0.options, events, then).await;
        self.note_append(&appended, begun);
        let appended = appended?;
        self.acknowledge(events, &appended, deletions);
        Ok(appended)
    }
}
