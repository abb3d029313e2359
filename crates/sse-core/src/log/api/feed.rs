use crate::feed::Origin;
use crate::log::selection::Selection;
use crate::{Error, EventLog, Feed, InvalidTopic, Topic, TopicSet};

impl EventLog {
    /// Returns a feed of this log, to set options: `log.feed().keep_alive(..)`. Without options, use the log itself.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let feed = log.feed().retry(Duration::from_secs(1));
    /// assert!(format!("{feed:?}").contains("retry: around 1s"));
    /// ```
    #[doc(alias("subscribe", "stream"))]
    pub fn feed(&self) -> Feed {
        Feed::from(self)
    }

    /// Returns a feed of the events that have one of these topics, and of those that have none: a feed like [`feed`](EventLog::feed), with all
    /// its options. Pass up to 1000 topics, or a [`TopicSet`] to change them while streams are open. No topics at all give the events without a
    /// topic, never all.
    ///
    /// A client gets each of its events once, in the order of the log, however many of its topics the event has. Its id is a place in the log:
    /// whichever topics a later request asks for, the stream goes on from there. The server names the topics in each request, so an id gives no
    /// right: no id makes a stream give an event of other topics.
    ///
    /// While events are appended that are not for the client, its keep-alive is an event of the type `position`, so that its id does not grow
    /// too old ([`no_position_event`](crate::StreamOptions::no_position_event)).
    ///
    /// ```
    /// use sse_core::{Event, EventLog, Start};
    /// # use sse_core::{StreamRequest, StreamResponse, Timer};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// log.append(Event::new("to one user").topic("user/7")?).await?;
    /// log.append(Event::new("to another").topic("user/8")?).await?;
    /// log.append(Event::new("to everybody")).await?;
    /// let feed = log.topics(["user/7", "room/42"])?.start_at(Start::Oldest);
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: to one user\n") && text.contains("data: to everybody\n"));
    /// assert!(!text.contains("to another"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_invalid_topic`](Error::is_invalid_topic) if a text cannot be a topic, or if there are more than 1000.
    /// - [`is_topics_unsupported`](Error::is_topics_unsupported) if the log is over a store that keeps no topics.
    #[doc(alias("filter", "map", "room", "channel"))]
    pub fn topics<T>(&self, topics: T) -> Result<Feed, Error>
    where
        T: TryInto<TopicSet>,
        InvalidTopic: From<T::Error>,
    {
        let selection = self.select(topics)?;
        Ok(Feed::of_origin(Origin::Log(selection), vec![self.shutdown().clone()]))
    }

    /// Returns the events of these topics.
    pub(super) fn select<T>(&self, topics: T) -> Result<Selection, Error>
    where
        T: TryInto<TopicSet>,
        InvalidTopic: From<T::Error>,
    {
        let topics = Some(topics.try_into().map_err(InvalidTopic::from)?);
        if !self.keeps_topics() {
            return Err(Error::topics_unsupported());
        }
        Ok(Selection { log: self.clone(), topics })
    }

    /// Returns true if the log keeps the topics of its events.
    pub(crate) fn keeps_topics(&self) -> bool {
        self.0.store.as_ref().is_none_or(|store| store.keeps_topics())
    }

    /// Returns the number of open streams that ask for this topic.
    ///
    /// ```
    /// use sse_core::{EventLog, Topic};
    ///
    /// let log = EventLog::in_memory(1000);
    /// assert_eq!(log.open_streams_of(&Topic::from_static("room/42")), 0);
    /// ```
    #[doc(alias("connections", "clients"))]
    pub fn open_streams_of(&self, topic: &Topic) -> usize {
        self.lock().tail.topics().map_or(0, |topics| topics.readers_of(topic))
    }
}
