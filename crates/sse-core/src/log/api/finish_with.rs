use crate::log::handle::EventLog;
use crate::log::store_events::Then;
use crate::{Error, EventId, NewEvent};

impl EventLog {
    /// Adds the last events, one right after the other, and [finishes](EventLog::finish) the log in the same step. Returns the ids of the events.
    ///
    /// A process that appends and then finishes can end in between: its clients then wait for an end that never comes. Here the log gets the
    /// events and the end, or neither. A client that is connected gets all events, and then the end. Without events it is the same as
    /// [`finish`](EventLog::finish).
    ///
    /// In NATS the end comes after the events: see the docs of `sse-log-nats`. Over a store that does not do both in one step
    /// ([`Store::finish_with`](crate::store::Store::finish_with)), the process can still end between the two.
    ///
    /// ```
    /// use sse_core::{Event, EventLog};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// log.append("12 %").await?;
    /// let ids = log.finish_with([Event::new("100 %"), Event::typed("done", "12 files")]).await?;
    /// assert_eq!(log.stats().newest, ids[1]);
    /// assert!(log.append("more").await.unwrap_err().is_finished());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`append_all`](EventLog::append_all): nothing is stored, and the log is not finished. If the outcome is unknown
    /// ([`is_outcome_unknown`](Error::is_outcome_unknown)), call it again if each event has an idempotency key: it then returns the ids of the
    /// first call, also if the log is finished.
    ///
    /// # Cancel safety
    ///
    /// The same as [`append`](EventLog::append): in memory the first poll does both. Over a store, if the future is dropped, the outcome is unknown.
    #[doc(alias("close_with", "end_with"))]
    pub async fn finish_with<I>(&self, events: I) -> Result<Vec<EventId>, Error>
    where
        I: IntoIterator,
        I::Item: Into<NewEvent>,
    {
        let events: Result<Vec<_>, _> =
            events.into_iter().map(|event| self.encode(event)).collect();
        let events = events?;
        if events.is_empty() {
            self.finish().await?;
            return Ok(Vec::new());
        }
        self.append_encoded(events, Then::IsFinished).await
    }
}
