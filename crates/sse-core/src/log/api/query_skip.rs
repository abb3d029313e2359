use crate::log::backlog::{Skip, Skipped};
use crate::log::handle::EventLog;
use crate::log::skip::skip;
use crate::store::TopicFilter;
use crate::{Error, EventId, GapReason, TopicSet};

impl EventLog {
    /// Returns the id of the position after the first events of the log, for a client that counts those that it has: what
    /// [`Start::Skip`](crate::Start::Skip) is for a stream, which says when this is a gap. Pass the id to [`read_after`](EventLog::read_after).
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// log.append_all(["one", "two", "three"]).await?;
    /// let missed = log.read_after(&log.skip(2).await?, 100).await?;
    /// assert_eq!(missed[0].to_event().data.as_deref(), Some("three"));
    /// assert!(log.skip(4).await.unwrap_err().is_gap());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_gap`](Error::is_gap) if any of them is missing, or if there are not so many.
    /// - [`is_store`](Error::is_store) if the store fails.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn skip(&self, count: usize) -> Result<EventId, Error> {
        self.skip_first(None, count).await
    }

    /// Returns the id of the position after the first events that have one of these topics, or none at all: [`skip`](EventLog::skip) by
    /// [topics](EventLog::topics). Pass the id to [`read_after_in`](EventLog::read_after_in).
    ///
    /// ```
    /// use sse_core::{Event, EventLog, TopicSet};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// for (text, topic) in [("one", "run/1"), ("another", "run/2"), ("two", "run/1")] {
    ///     log.append(Event::new(text).topic(topic)?).await?;
    /// }
    /// let run = TopicSet::new(["run/1"])?;
    /// let missed = log.read_after_in(&run, &log.skip_in(&run, 1).await?, 100).await?;
    /// assert_eq!(missed[0].to_event().data.as_deref(), Some("two"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`skip`](EventLog::skip), and [`is_topics_unsupported`](Error::is_topics_unsupported) if the log is over a store that keeps
    /// no topics.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn skip_in(&self, topics: &TopicSet, count: usize) -> Result<EventId, Error> {
        if !self.keeps_topics() {
            return Err(Error::topics_unsupported());
        }
        self.skip_first(Some(self.filter(topics)), count).await
    }

    async fn skip_first(
        &self,
        filter: Option<TopicFilter>,
        count: usize,
    ) -> Result<EventId, Error> {
        let mut way = Skip::new(count);
        loop {
            let mut state = self.lock_now();
            let index = filter.is_some().then(|| state.tail.topic_index());
            let lists = index.zip(filter.as_ref()).map(|(index, filter)| {
                filter.topics().iter().filter_map(|topic| index.list(topic)).collect::<Vec<_>>()
            });
            let (epoch, step) = (state.tail.epoch(), state.skip_first(lists.as_deref(), way));
            drop(state);
            match step {
                Skipped::After(after) => return Ok(after.id(epoch)),
                Skipped::Gone(reason) => return Err(self.lock().gap(reason).into()),
                Skipped::More(step) => way = step,
                Skipped::Ask => break,
            }
        }
        let Some(store) = &self.0.store else {
            return Err(self.lock().gap(GapReason::TooOld).into());
        };
        let limit = (&self.0.timer, self.0.options.store_timeout);
        let skipped = skip(count, &**store, filter.as_ref(), self.keyless(), limit);
        let (skipped, known, bounds) = skipped
            .await
            .map_err(|error| Error::store(self.store_label(), "reading", error, false))?;
        self.remember_keyless(known, bounds.epoch);
        match skipped {
            Skipped::After(after) => Ok(after.id(bounds.epoch)),
            Skipped::Gone(reason) => Err(self.lock().gap(reason).into()),
            Skipped::More(_) | Skipped::Ask => Err(self.lock().gap(GapReason::TooOld).into()),
        }
    }
}
