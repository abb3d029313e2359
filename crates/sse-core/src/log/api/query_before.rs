use crate::log::api::query::frames;
use crate::log::follower::fetch;
use crate::log::handle::EventLog;
use crate::store::{PageLimit, TopicFilter};
use crate::{Epoch, Error, EventId, Frame, GapReason, Position, TopicSet};

/// The most events of one call.
const MOST: usize = 1000;

impl EventLog {
    /// Returns the events before this one, newest first, for a page that is scrolled back: at most `limit`, at most 1000, and at most 16 MiB
    /// ([`StoreOptions::tail_bytes`](crate::StoreOptions::tail_bytes)) or one event. It may return fewer, though there are more: call it again
    /// with the last id, until it returns no event. Before the oldest event that is kept there is none.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let ids = log.append_all(["one", "two", "three"]).await?;
    /// let older = log.read_before(&ids[2], 100).await?;
    /// assert_eq!(older.iter().map(|frame| frame.id()).collect::<Vec<_>>(), [Some(&ids[1]), Some(&ids[0])]);
    /// assert!(log.read_before(&ids[0], 100).await?.is_empty());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_gap`](Error::is_gap) if the id is not of this log, or is newer than its newest event.
    /// - [`is_store`](Error::is_store) if the store fails.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn read_before(&self, id: &EventId, limit: usize) -> Result<Vec<Frame>, Error> {
        self.older(None, id, limit).await
    }

    /// Returns the events before this id that have one of these topics, or none at all: [`read_before`](EventLog::read_before) by
    /// [topics](EventLog::topics). From memory it returns about 64 KiB at a time.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, TopicSet};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// for user in 0..10 {
    ///     log.append(Event::new("hello").topic(format!("user/{user}"))?).await?;
    /// }
    /// let newest = log.stats().newest;
    /// assert_eq!(log.read_before_in(&TopicSet::new(["user/3", "user/7"])?, &newest, 100).await?.len(), 2);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`read_before`](EventLog::read_before), and [`is_topics_unsupported`](Error::is_topics_unsupported) if the log is over a
    /// store that keeps no topics.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn read_before_in(
        &self,
        topics: &TopicSet,
        id: &EventId,
        limit: usize,
    ) -> Result<Vec<Frame>, Error> {
        if !self.keeps_topics() {
            return Err(Error::topics_unsupported());
        }
        self.older(Some(self.filter(topics)), id, limit).await
    }

    async fn older(
        &self,
        filter: Option<TopicFilter>,
        id: &EventId,
        limit: usize,
    ) -> Result<Vec<Frame>, Error> {
        let (epoch, before) = match self.locate(id).await {
            Ok(located) => located,
            // The event was dropped, and so was every event before it.
            Err(error) if error.gap().is_some_and(|gap| gap.reason == GapReason::TooOld) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let limit = limit.min(MOST);
        if let Some(frames) = self.older_here(filter.as_ref(), epoch, before, limit)? {
            return Ok(frames);
        }
        let Some(store) = &self.0.store else { return Ok(Vec::new()) };
        let limit = PageLimit { events: limit, bytes: self.0.options.tail_bytes };
        let read = store.read_before(before, filter.as_ref(), limit);
        let page = self.call("reading", read).await?;
        if page.bounds.epoch != epoch {
            return Err(self.lock().gap(GapReason::OtherEpoch).into());
        }
        Ok(frames(&page, epoch))
    }

    /// Returns the events before this position that are in memory, newest first; `None` if there may be some in the store alone. It copies some
    /// at a time, so that the log is not locked for long.
    fn older_here(
        &self,
        filter: Option<&TopicFilter>,
        epoch: Epoch,
        mut before: Position,
        limit: usize,
    ) -> Result<Option<Vec<Frame>>, Error> {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        loop {
            let left = limit - frames.len();
            let mut state = self.lock_now();
            if state.tail.epoch() != epoch {
                return Err(state.gap(GapReason::OtherEpoch).into());
            }
            if before > state.tail.newest() && self.0.store.is_some() {
                // The tail does not have the newest of them yet.
                return Ok(Some(frames).filter(|frames| !frames.is_empty()));
            }
            let copied = match filter {
                Some(filter) => state.tail.copy_topics_before(filter.topics(), before, left),
                None => {
                    let events = fetch::LIMIT.events.min(left);
                    state.tail.copy_before(before, PageLimit { events, ..fetch::LIMIT })
                }
            };
            let are_all = left == 0 || state.tail.base() <= state.floor();
            drop(state);
            let Some(&(last, _)) = copied.last() else {
                return Ok(Some(frames).filter(|frames| are_all || !frames.is_empty()));
            };
            before = last;
            for (position, event) in copied {
                bytes += event.len();
                if bytes > self.0.options.tail_bytes && !frames.is_empty() {
                    return Ok(Some(frames));
                }
                frames.push(Frame::from_log(event, position.id(epoch)));
            }
        }
    }
}
