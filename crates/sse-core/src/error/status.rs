//! What a client is told of an error.

use crate::error::Error;
use crate::error::kind::Kind;

impl Error {
    /// Returns the status of the response to a request that failed by this error: one of 400 to 499 if the caller is at fault, 503 if the
    /// failure will pass, and 500 if the application is at fault.
    ///
    /// | | |
    /// |---|---|
    /// | 409 | the log is finished |
    /// | 410 | a client cannot resume from its id |
    /// | 413 | the event is too large |
    /// | 422 | an event, a field, a topic or a merge is invalid |
    /// | 500 | a value has no JSON, or the log or its store keeps no topics or no times |
    /// | 503 | a store or a source failed, too many events wait, or the system has no random numbers |
    ///
    /// Each adapter has an `SseError`, which answers it: `?` in a handler makes one of an `Error`.
    ///
    /// ```
    /// use sse_core::{Error, Event, EventLog, store::StoreError};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// assert_eq!(log.append(Event::default()).await.unwrap_err().status(), 422);
    /// assert_eq!(Error::from(StoreError::failed("the disk is full")).status(), 503);
    /// # }).unwrap();
    /// ```
    #[doc(alias = "http")]
    pub fn status(&self) -> u16 {
        match &*self.0 {
            Kind::Finished => 409,
            Kind::Gap(_) => 410,
            Kind::TooLarge { .. } => 413,
            Kind::InvalidEvent(_)
            | Kind::InvalidField(_)
            | Kind::InvalidTopic(_)
            | Kind::InvalidMerge(_) => 422,
            Kind::Json(_) | Kind::TopicsUnsupported | Kind::TimesUnsupported(_) => 500,
            Kind::Source { .. }
            | Kind::Overflow { .. }
            | Kind::Store { .. }
            | Kind::QueueFull { .. }
            | Kind::NoRandomness(_) => 503,
        }
    }

    /// Returns the text for the client whose request failed: the error's own if the caller is at fault. Otherwise it names nothing of the
    /// server, such as the address of a store.
    ///
    /// ```
    /// use sse_core::{Error, Topic, store::StoreError};
    ///
    /// let error = Error::from(Topic::try_from("").unwrap_err());
    /// assert_eq!(error.client_text(), "invalid topic: a topic has at least one byte");
    /// let error = Error::from(StoreError::failed("redis://10.0.0.7 is away"));
    /// assert_eq!(error.client_text(), "the events are unavailable; try again later");
    /// ```
    pub fn client_text(&self) -> String {
        match self.status() {
            503 => "the events are unavailable; try again later".to_owned(),
            500 => "the server failed".to_owned(),
            _ => self.to_string(),
        }
    }

    /// Returns true if a later request may succeed, though neither the client nor the application changes.
    pub(crate) fn will_pass(&self) -> bool {
        self.status() == 503
    }
}
