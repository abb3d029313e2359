use bytes::Bytes;

use crate::log::api::query::frames;
use crate::log::follower::fetch;
use crate::log::handle::EventLog;
use crate::store::{PageLimit, TopicFilter, TopicPage};
use crate::{Error, EventId, Frame, GapReason, Position, Topic, TopicSet, TopicStats};

impl EventLog {
    /// Returns the event with this id, if it has one of these topics, or none at all. Use it in place of [`get`](EventLog::get) when a client
    /// names the id: an id gives no right.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, TopicSet};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let id = log.append(Event::new("to one user").topic("user/7")?).await?;
    /// assert!(log.get_in(&TopicSet::new(["user/7"])?, &id).await.is_ok());
    /// assert!(log.get_in(&TopicSet::new(["user/8"])?, &id).await.unwrap_err().is_gap());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`get`](EventLog::get). For an event of other topics it is that of an event that is not there.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn get_in(&self, topics: &TopicSet, id: &EventId) -> Result<Frame, Error> {
        if !self.keeps_topics() {
            return Err(Error::topics_unsupported());
        }
        let (frame, own) = self.find(id).await?;
        match self.filter(topics).takes(&own) {
            true => Ok(frame),
            false => Err(self.lock_now().gap(GapReason::TooOld).into()),
        }
    }

    /// Returns the events that streams of these topics get.
    pub(super) fn filter(&self, topics: &TopicSet) -> TopicFilter {
        let topics = topics.wanted(0).1.into_iter().map(|wanted| wanted.topic);
        TopicFilter::new(topics, !self.0.options.topics_required)
    }

    /// Returns the events after this id that have one of these topics, or none at all, oldest first: at most `limit`, and about 64 KiB. It may
    /// return fewer, though there are more: call it again with the last id, until it returns no event. If events are only in a store, it reads
    /// there until it finds one, or the end of the log.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, TopicSet};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let before = log.stats().newest;
    /// for user in 0..10 {
    ///     log.append(Event::new("hello").topic(format!("user/{user}"))?).await?;
    /// }
    /// let missed = log.read_after_in(&TopicSet::new(["user/3", "user/7"])?, &before, 100).await?;
    /// assert_eq!(missed.len(), 2);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`read_after`](EventLog::read_after), and [`is_topics_unsupported`](Error::is_topics_unsupported) if the log is over a store
    /// that keeps no topics.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn read_after_in(
        &self,
        topics: &TopicSet,
        id: &EventId,
        limit: usize,
    ) -> Result<Vec<Frame>, Error> {
        if !self.keeps_topics() {
            return Err(Error::topics_unsupported());
        }
        self.unseen(id, |id| async move { self.read_all_after_in(topics, &id, limit).await }).await
    }

    async fn read_all_after_in(
        &self,
        topics: &TopicSet,
        id: &EventId,
        limit: usize,
    ) -> Result<Vec<Frame>, Error> {
        let (epoch, after) = self.locate(id).await?;
        let filter = self.filter(topics);
        // In a block: a lock that is dropped by a call would make a future that cannot be sent.
        let copied = {
            let mut state = self.lock_now();
            if state.tail.epoch() != epoch {
                return Err(state.gap(GapReason::OtherEpoch).into());
            }
            // If the id is ahead of the tail, only the store knows what is after it.
            let is_ahead = after > state.tail.newest();
            if is_ahead { None } else { state.tail.copy_topics(filter.topics(), after, limit) }
        };
        let frame = |(at, bytes): (Position, Bytes)| Frame::from_log(bytes, at.id(epoch));
        match (copied, &self.0.store) {
            (Some(copied), _) => Ok(copied.into_iter().map(frame).collect()),
            (None, Some(_)) if limit == 0 => Ok(Vec::new()),
            (None, Some(store)) => {
                let limit = PageLimit { events: limit, ..fetch::LIMIT };
                // Events of others that come meanwhile are not read, or it would run after a busy log.
                let (mut after, mut end) = (after, None);
                loop {
                    let read = store.read_topics(after, &filter, limit);
                    let TopicPage { page, upto } = self.call("reading", read).await?;
                    self.check_page(&page, epoch, after)?;
                    let end = *end.get_or_insert(page.bounds.newest);
                    if !page.events.is_empty() || upto <= after || upto >= end {
                        return Ok(frames(&page, epoch));
                    }
                    after = upto;
                }
            }
            (None, None) => Err(self.lock_now().gap(GapReason::TooOld).into()),
        }
    }

    /// Returns each topic that has streams, or events in memory, in no order. Meanwhile other threads can use the log: the counts of two topics
    /// may be those of two moments.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, TopicStats};
    ///
    /// let log = EventLog::in_memory(1000);
    /// log.append_now(Event::new("hi").topic("room/42")?)?;
    /// let [(topic, stats)] = log.topic_stats().try_into().unwrap();
    /// assert_eq!((topic.as_str(), stats.events, stats.open_streams), ("room/42", 1, 0));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    pub fn topic_stats(&self) -> Vec<(Topic, TopicStats)> {
        let mut all = Vec::new();
        let mut next = Some(0);
        while let Some(first) = next {
            let state = self.lock_now();
            next = state.tail.topics().and_then(|topics| topics.stats(first, &mut all));
        }
        all
    }
}
