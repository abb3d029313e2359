mod from_event;

use std::sync::Arc;

use bytes::Bytes;

use crate::store::{EncodedEvent, MAX_KEY_LEN, Topics, checked};
use crate::{Error, Event, InvalidTopic, Topic};

/// An event to append, with its topics, its key and its idempotency key.
///
/// An [`Event`] or its data converts into it. [`Event::topic`], [`Event::key`] and [`Event::idempotency_key`] make it, and can be
/// combined.
///
/// ```
/// use sse_core::{Event, EventLog};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let reading = Event::typed("reading", "12 %").key("cpu")?.idempotency_key("reading 7")?;
/// let id = log.append(reading.clone()).await?;
/// assert_eq!(log.append(reading).await?, id);
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    body: Body,
    key: Option<Arc<str>>,
    idempotency_key: Option<Arc<str>>,
    topics: Topics,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Event(Event),
    /// An encoded event, for more than one log.
    Block(Bytes),
}

impl NewEvent {
    /// The length of the longest key, and of the longest idempotency key: 128 bytes.
    ///
    /// ```
    /// use sse_core::{Event, NewEvent};
    ///
    /// assert!(Event::new("x").key(&"k".repeat(NewEvent::MAX_KEY_LEN)).is_ok());
    /// assert!(Event::new("x").key(&"k".repeat(NewEvent::MAX_KEY_LEN + 1)).is_err());
    /// ```
    pub const MAX_KEY_LEN: usize = MAX_KEY_LEN;

    /// Sets the key, of 1 to 128 bytes. Of all events of one key a log keeps only the newest, so that a client that falls behind, or joins
    /// late, gets only that event. A client that keeps up gets each.
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let before = log.stats().newest;
    /// log.append(Event::new("12 %").key("cpu")?).await?;
    /// log.append(Event::new("3 GB").key("memory")?).await?;
    /// log.append(Event::new("97 %").key("cpu")?).await?;
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
    /// [`is_invalid_event`](Error::is_invalid_event) if the key is empty or longer than [`MAX_KEY_LEN`](NewEvent::MAX_KEY_LEN).
    pub fn key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { key: Some(checked(key)?), ..self })
    }

    /// Adds a topic: the event goes to the streams that ask for it ([`EventLog::topics`](crate::EventLog::topics)), and to those that ask for
    /// all. An event without a topic goes to every stream. It can have up to 8 topics; one that is added twice counts once. A topic is not
    /// written to the wire.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, Start};
    /// # use sse_core::{StreamRequest, StreamResponse, Timer};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// log.append(Event::new("to the room").topic("room/42")?).await?;
    /// log.append(Event::new("to two users").topic("user/7")?.topic("user/8")?).await?;
    /// let feed = log.topics(["user/7"])?.start_at(Start::Oldest);
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: to two users\n") && !text.contains("data: to the room\n"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_invalid_topic`](Error::is_invalid_topic) if the text cannot be a [`Topic`], or if the event has 8 topics already.
    pub fn topic<T>(self, topic: T) -> Result<Self, Error>
    where
        T: TryInto<Topic>,
        InvalidTopic: From<T::Error>,
    {
        let topic = topic.try_into().map_err(InvalidTopic::from)?;
        Ok(Self { topics: self.topics.and(topic)?, ..self })
    }

    /// Sets the idempotency key, of 1 to 128 bytes. A log that has had an event with this key does not add it again, and returns the id of
    /// the first, also if that event is no longer kept, or the log is finished. So an append whose outcome is unknown can be tried again. A
    /// log remembers the key for [`StoreOptions::idempotency_window`](crate::StoreOptions::idempotency_window).
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let paid = || Event::new("paid").idempotency_key("order 7");
    /// assert_eq!(log.append(paid()?).await?, log.append(paid()?).await?);
    /// assert_eq!(log.stats().events, 1);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The same as [`key`](NewEvent::key).
    pub fn idempotency_key(self, key: &str) -> Result<Self, Error> {
        Ok(Self { idempotency_key: Some(checked(key)?), ..self })
    }

    /// Encodes the event once, to append it to many logs: its clones share the bytes. `largest` is the limit in bytes; a log still refuses an
    /// event that is larger than its own [`largest_event`](crate::StoreOptions::largest_event).
    ///
    /// ```
    /// use sse_core::{Event, EventLog, NewEvent};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let logs = [EventLog::in_memory(10), EventLog::in_memory(10)];
    /// let event = NewEvent::from(Event::new("to all")).encoded(1024)?;
    /// for log in &logs {
    ///     log.append(event.clone()).await?;
    /// }
    /// assert!(logs.iter().all(|log| log.stats().events == 1));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_invalid_event`](Error::is_invalid_event) if the event has an id, or no data.
    /// - [`is_too_large`](Error::is_too_large) if it would have more than `largest` bytes.
    pub fn encoded(self, largest: usize) -> Result<Self, Error> {
        let EncodedEvent { block, key, idempotency_key, topics } = self.encode(largest)?;
        Ok(Self { body: Body::Block(block), key, idempotency_key, topics })
    }

    /// Encodes the event for a [`Store`](crate::store::Store) that is called without a log, in at most this many bytes.
    ///
    /// ```
    /// use sse_core::NewEvent;
    ///
    /// let event = NewEvent::from("hello").key("greeting")?.encode(1024)?;
    /// assert_eq!(event.block, "data: hello\n");
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_invalid_event`](Error::is_invalid_event) if the event has an id, or no data.
    /// - [`is_too_large`](Error::is_too_large) if it would have more than `largest` bytes.
    pub fn encode(self, largest: usize) -> Result<EncodedEvent, Error> {
        let Self { body, key, idempotency_key, topics } = self;
        let encoded = match body {
            Body::Event(event) => EncodedEvent::encode(&event, largest)?,
            Body::Block(block) if block.len() > largest => {
                return Err(Error::too_large(block.len(), largest));
            }
            Body::Block(block) => EncodedEvent::of_block(block),
        };
        Ok(EncodedEvent { key, idempotency_key, topics, ..encoded })
    }
}
