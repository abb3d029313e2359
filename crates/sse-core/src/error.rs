// Longer than other files: each question is here with its example.

use std::sync::Arc;

use crate::gap::Gap;

mod convert;
mod kind;
mod status;

use kind::Kind;
pub(crate) use kind::StoreLabel;

/// The error of this crate. Its methods return its kind, and the [`status`](Error::status) for a client.
///
/// `{}` prints its text, and `{:?}` its text and those of its sources, on one line.
///
/// ```
/// use sse_core::{Event, EventId, EventLog};
/// # futures_util::future::FutureExt::now_or_never(async {
/// let log = EventLog::in_memory(1000);
/// let error = log.append(Event::new("x").id(EventId::from_static("mine"))).await.unwrap_err();
/// assert!(error.is_invalid_event());
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Error(Arc<Kind>);

impl Error {
    /// Returns true if a value had no JSON.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use sse_core::Event;
    ///
    /// let error = Event::json(&HashMap::from([([1, 2], "keys must be texts")])).unwrap_err();
    /// assert!(error.is_serialization());
    /// ```
    pub fn is_serialization(&self) -> bool {
        matches!(*self.0, Kind::Json(_))
    }

    /// Returns true if a log refused an event because it has an id of its own, no data, or an invalid key.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let error = log.append_now(sse_core::Event::default()).unwrap_err();
    /// assert!(error.is_invalid_event());
    /// ```
    pub fn is_invalid_event(&self) -> bool {
        matches!(*self.0, Kind::InvalidEvent(_))
    }

    /// Returns true if a text is invalid as an id or as a type of an event.
    ///
    /// ```
    /// use sse_core::{Error, EventType};
    ///
    /// let error = Error::from(EventType::try_from("two\nlines").unwrap_err());
    /// assert!(error.is_invalid_field());
    /// ```
    pub fn is_invalid_field(&self) -> bool {
        matches!(*self.0, Kind::InvalidField(_))
    }

    /// Returns true if a topic is invalid, if there are too many, or if an event lacks one.
    ///
    /// ```
    /// assert!(sse_core::Event::new("hi").topic("").unwrap_err().is_invalid_topic());
    /// ```
    pub fn is_invalid_topic(&self) -> bool {
        matches!(*self.0, Kind::InvalidTopic(_))
    }

    /// Returns true if a log was asked for topics, and its store keeps none.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{EventLog, StoreOptions, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let (log, follower) = EventLog::open(VecStore::new(), StoreOptions::default(), timer).await?;
    /// assert!(log.topics(["user/7"]).unwrap_err().is_topics_unsupported());
    /// # drop(follower);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn is_topics_unsupported(&self) -> bool {
        matches!(*self.0, Kind::TopicsUnsupported)
    }

    /// Returns true if a stream was to begin with [`Start::Since`](crate::Start::Since), and its log, or the store of its log, keeps no times.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use std::sync::{Arc, OnceLock};
    /// # use sse_core::{EventLog, Start, StreamRequest, StreamResponse, Timer};
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let seen = Arc::new(OnceLock::new());
    /// let told = Arc::clone(&seen);
    /// let feed = log.feed().start_at(Start::Since(Duration::from_secs(60)));
    /// let feed = feed.on_error(move |error| told.set(error.is_times_unsupported()).unwrap());
    /// assert_eq!(StreamResponse::new(&request, feed, timer).status, 500);
    /// assert_eq!(seen.get(), Some(&true));
    /// ```
    pub fn is_times_unsupported(&self) -> bool {
        matches!(*self.0, Kind::TimesUnsupported(_))
    }

    /// Returns true if [`merge`](crate::merge) refused its members or their names.
    ///
    /// ```
    /// let log = sse_core::EventLog::in_memory(1000);
    /// assert!(sse_core::merge([("a b", &log)]).unwrap_err().is_invalid_merge());
    /// ```
    pub fn is_invalid_merge(&self) -> bool {
        matches!(*self.0, Kind::InvalidMerge(_))
    }

    /// Returns true if an event was refused because of its size: by a log, or by [`Frame::encode`](crate::Frame::encode).
    ///
    /// ```
    /// use sse_core::{EventLog, LogOptions};
    ///
    /// let log = EventLog::in_memory(LogOptions::new().largest_event(1024));
    /// assert!(log.append_now("x".repeat(1024)).unwrap_err().is_too_large());
    /// ```
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, Kind::TooLarge { .. })
    }

    /// Returns true if a log refused an event because the log is finished.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// log.finish().await?;
    /// assert!(log.append("more").await.unwrap_err().is_finished());
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn is_finished(&self) -> bool {
        matches!(*self.0, Kind::Finished)
    }

    /// Returns true if a client cannot resume from an id; [`gap`](Error::gap) returns the reason.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// assert!(log.get(&"no-id".parse().unwrap()).await.unwrap_err().is_gap());
    /// # }).unwrap();
    /// ```
    pub fn is_gap(&self) -> bool {
        self.gap().is_some()
    }

    /// Returns the reason why a client cannot resume from an id; `None` if the error is another.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let error = log.get(&"no-id".parse().unwrap()).await.unwrap_err();
    /// assert_eq!(error.gap().unwrap().reason, sse_core::GapReason::Unknown);
    /// # }).unwrap();
    /// ```
    pub fn gap(&self) -> Option<&Gap> {
        match &*self.0 {
            Kind::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    /// Returns true if the application's own [`Source`](crate::Source) or closure failed; `source()` is its error.
    ///
    /// ```
    /// # use sse_core::{Event, StreamContext, StreamRequest, StreamResponse, Timer};
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let feed = StreamContext::run(|_| async { Err("no model".into()) });
    /// let feed = feed.error_event(|error| Event::new(error.is_source().to_string()));
    /// # let response = StreamResponse::new(&StreamRequest::new("GET", None, []), feed, timer);
    /// # let text = futures_util::future::FutureExt::now_or_never(response.text()).unwrap();
    /// assert!(text.ends_with("data: true\n\n"));
    /// ```
    pub fn is_source(&self) -> bool {
        matches!(*self.0, Kind::Source { .. })
    }

    /// Returns true if more events were published during a replay than are kept for one client. The client comes back for the rest.
    ///
    /// ```
    /// # use std::io::Result;
    /// # use sse_core::{source, Event, EventId, Feed, StreamRequest, StreamResponse, Timer};
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// # let fetch = |_: EventId| async { Ok(vec!["missed"]) };
    /// # let stream = || async { Ok(futures_util::stream::iter([Result::Ok("one"), Ok("two")])) };
    /// let feed = Feed::from(source(fetch, stream)).buffered_events(1);
    /// let feed = feed.error_event(|error| Event::new(error.is_overflow().to_string()));
    /// # let response = StreamResponse::new(&StreamRequest::new("GET", None, [("Last-Event-ID", &b"1"[..])]), feed, timer);
    /// # let text = futures_util::future::FutureExt::now_or_never(response.text()).unwrap();
    /// assert!(text.ends_with("data: missed\n\ndata: true\n\n"));
    /// ```
    pub fn is_overflow(&self) -> bool {
        matches!(*self.0, Kind::Overflow { .. })
    }

    /// Returns true if the store of a log failed; `source()` is its error.
    ///
    /// ```
    /// use sse_core::{Error, store::StoreError};
    ///
    /// assert!(Error::from(StoreError::failed("the disk is full")).is_store());
    /// ```
    pub fn is_store(&self) -> bool {
        matches!(*self.0, Kind::Store { .. })
    }

    /// Returns the log whose store failed, as the text of this error names it; empty if it names none.
    pub(crate) fn failed_store(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Store { of, .. } => Some(of.as_str()),
            _ => None,
        }
    }

    /// Returns true if the store failed, but the call may have succeeded: an event may or may not have been appended.
    ///
    /// ```
    /// use sse_core::{Error, store::StoreError};
    ///
    /// assert!(Error::from(StoreError::outcome_unknown("no reply")).is_outcome_unknown());
    /// assert!(!Error::from(StoreError::failed("the disk is full")).is_outcome_unknown());
    /// ```
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(*self.0, Kind::Store { may_have_happened: true, .. })
    }

    /// Returns true if a log refused an event because too many events of [`EventLog::append_now`](crate::EventLog::append_now) wait to be
    /// stored.
    ///
    /// ```
    #[doc = include_str!("store/in_examples.txt")]
    /// # use sse_core::{EventLog, StoreOptions, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let (log, follower) = EventLog::open(VecStore::new(), StoreOptions::default(), timer).await?;
    /// // The follower does not run.
    /// let error = (0..=1024).find_map(|_| log.append_now("hello").err()).unwrap();
    /// assert!(error.is_queue_full());
    /// # drop(follower);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn is_queue_full(&self) -> bool {
        matches!(*self.0, Kind::QueueFull { .. })
    }

    /// Returns true if the system had no random numbers for an [`Epoch`](crate::Epoch).
    pub fn is_no_randomness(&self) -> bool {
        matches!(*self.0, Kind::NoRandomness(_))
    }
}
