//! A delivery, as an observer is told of it.

use crate::EventId;

/// The events that a stream has given to the framework at once.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use sse_core::{Delivered, EventId, EventLog, Observer, Start};
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
///
/// #[derive(Default)]
/// struct Newest(Mutex<Option<EventId>>);
/// impl Observer for Newest {
///     fn delivered(&self, delivered: &Delivered<'_>) {
///         *self.0.lock().unwrap() = delivered.last_event_id.cloned();
///     }
/// }
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
/// let (log, newest) = (EventLog::in_memory(1000), Arc::new(Newest::default()));
/// let id = log.append("hello").await?;
/// let feed = log.feed().start_at(Start::Oldest).observer(newest.clone());
/// StreamResponse::new(&request, feed, timer).text().await;
/// assert_eq!(*newest.0.lock().unwrap(), Some(id));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Delivered<'a> {
    /// The number of events.
    pub events: usize,
    /// The bytes of these events, with their ids.
    pub bytes: usize,
    /// True until the stream has first waited for new events: until then it gives what there was when its client came. Always false for a
    /// [`StreamContext`](crate::StreamContext).
    pub is_replay: bool,
    /// The last id that the client was sent, by now or before, if any.
    pub last_event_id: Option<&'a EventId>,
}

/// The state of the [`Follower`](crate::Follower) of a log, in this process.
///
/// ```
/// use sse_core::{FollowerState, Observer};
///
/// struct Alarm;
/// impl Observer for Alarm {
///     fn follower(&self, state: FollowerState) {
///         if state == FollowerState::Stopped {
///             eprintln!("clients of this process get nothing new");
///         }
///     }
/// }
/// assert!(sse_core::EventLog::in_memory(1000).observe(Alarm));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FollowerState {
    /// It brings the events of the store into this process. If the store fails, it tries again: see [`Observer::store_lost`](crate::Observer::store_lost).
    Running,
    /// It has not been spawned, or was dropped.
    Stopped,
}
