//! What an event that is to be appended is made of: an event, or its data.

use crate::new_event::{Body, NewEvent};
use crate::store::Topics;
use crate::{Error, Event, InvalidTopic, Topic};

impl Event {
    /// Adds a topic: the event goes to the streams that ask for it. The same as [`NewEvent::topic`].
    ///
    /// ```
    /// use sse_core::Event;
    ///
    /// let event = Event::new("hi").topic("room/42")?.topic("user/7")?;
    /// assert!(Event::new("hi").topic("").unwrap_err().is_invalid_topic());
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_invalid_topic`](Error::is_invalid_topic) if the text cannot be a [`Topic`].
    pub fn topic<T>(self, topic: T) -> Result<NewEvent, Error>
    where
        T: TryInto<Topic>,
        InvalidTopic: From<T::Error>,
    {
        NewEvent::from(self).topic(topic)
    }

    /// Sets the key: [`NewEvent::key`].
    ///
    /// ```
    /// use sse_core::{Event, NewEvent};
    ///
    /// assert_eq!(Event::new("12 %").key("cpu")?, NewEvent::from("12 %").key("cpu")?);
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The same as [`NewEvent::key`].
    pub fn key(self, key: &str) -> Result<NewEvent, Error> {
        NewEvent::from(self).key(key)
    }

    /// Sets the idempotency key: [`NewEvent::idempotency_key`].
    ///
    /// ```
    /// use sse_core::EventLog;
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let paid = sse_core::Event::new("paid").idempotency_key("order 7")?;
    /// assert_eq!(log.append(paid.clone()).await?, log.append(paid).await?);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The same as [`NewEvent::key`].
    pub fn idempotency_key(self, key: &str) -> Result<NewEvent, Error> {
        NewEvent::from(self).idempotency_key(key)
    }
}

impl From<Event> for NewEvent {
    fn from(event: Event) -> Self {
        Self {
            body: Body::Event(event),
            key: None,
            idempotency_key: None,
            topics: Topics::default(),
        }
    }
}

/// Makes an event with this data.
impl From<&str> for NewEvent {
    fn from(data: &str) -> Self {
        Event::new(data).into()
    }
}

/// Makes an event with this data.
impl From<String> for NewEvent {
    fn from(data: String) -> Self {
        Event::new(data).into()
    }
}
