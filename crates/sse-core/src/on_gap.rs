use std::future::Future;

use crate::{BoxError, MakeSnapshot, Snapshot, SnapshotRequest, Timer};

/// The action of a stream whose client cannot resume exactly where it was.
///
/// ```
/// use sse_core::{EventLog, OnGap, StreamRequest, StreamResponse, Timer};
///
/// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
/// let log = EventLog::in_memory(1000);
/// let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"no-id"[..])]);
/// let feed = log.feed().on_gap(OnGap::Stop);
/// assert_eq!(StreamResponse::new(&request, feed, timer).status, 204);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum OnGap {
    /// Sends an event of type `reset`, then all that is kept, then the live events. The default.
    ///
    /// Its data is JSON: `{"reason": "too-old" | "unknown" | "other-epoch" | "ahead-of-head", "oldest": id | null, "newest": id | null}`;
    /// in a [`merge`](crate::merge) also `"log"`, the name of the log that has the gap.
    /// From a log its id is the position just before the oldest event, so that a client that is cut off right after it gets all
    /// that is kept when it comes back. From a [`Source`](crate::Source) it has no id, and the stream continues live.
    ///
    /// A client that does not look at types reads the `reset` like any other event: the AI SDK fails on it, and the SDKs of MCP skip it.
    /// For such clients choose [`Stop`](OnGap::Stop).
    #[default]
    Reset,
    /// Sends the `reset`, then what a first visit would get: the events that [`Feed::start_at`](crate::Feed::start_at) sets, then the live
    /// events. So a client with an invalid id gets no more than a client without an id. From a log the id of the `reset` is the position
    /// after which the stream continues. If `start_at` is an id that is a gap itself, the stream continues with all that is kept.
    StartOver,
    /// Sends a `reset` without an id, then the application's own events in place of those that were lost, then the events after them.
    /// [`OnGap::snapshot`] makes it.
    Snapshot(MakeSnapshot),
    /// Continues live. The client is not told, but gets the [`position_event`](crate::Feed::position_event) if there is one. A stream that
    /// fell behind while it was open continues with the newest event, so that it gets events however fast they come.
    Live,
    /// Ends the stream, for example for clients that do not look at the types of events. The status is 204, after which a browser does not
    /// reconnect; a few other clients do (react-native-sse, htmx 4). If the gap is found only later, the response ends, and the next
    /// response of a log is the 204, except over a store if the id is ahead of the newest event: the log then asks the store each time. A
    /// [`Source`](crate::Source) that reports a gap is called again for every client that comes back.
    Stop,
    /// Ends the stream, with this status from 400 to 599 and no body: for clients that read with `fetch` and fail on an event that is not theirs.
    /// Another number counts as 410. **Unfit for `EventSource`**, which stops for good at such a status and tells its page nothing.
    ///
    /// A status is fixed before a store is asked. If the gap is found only then, the response ends, and the next one with this id has the status.
    /// [`StreamResponse::resolved`](crate::StreamResponse::resolved), which each adapter has as `stream_events_resolved`, asks first.
    /// The response of a [`Source`](crate::Source) that reports a gap ends, each time.
    Status(u16),
}

impl OnGap {
    /// Returns the action that sends an event of type `reset`, then the snapshot that this closure makes, then the events after it.
    /// [`MakeSnapshot::new`] says what holds for the closure. For a closure that also serves first visits, see [`MakeSnapshot`].
    ///
    /// ```
    /// use sse_core::{Event, EventLog, OnGap, Snapshot};
    ///
    /// # use sse_core::{StreamRequest, StreamResponse, Timer};
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// # async fn all_orders() -> std::io::Result<String> { Ok(String::from("12 orders")) }
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = EventLog::in_memory(1000);
    /// let head = log.clone();
    /// let feed = log.feed().on_gap(OnGap::snapshot(move |_request| {
    ///     // First the position of the log, then the state: an event in between is in both, and not lost.
    ///     let at = head.stats().newest;
    ///     async { Ok(Snapshot::new([all_orders().await?], at)) }
    /// }));
    /// let request = StreamRequest::new("GET", None, [("Last-Event-ID", &b"no-id"[..])]);
    /// assert!(StreamResponse::new(&request, feed, timer).text().await.contains("data: 12 orders\n"));
    /// # }).unwrap();
    /// ```
    pub fn snapshot<C, F>(make: C) -> Self
    where
        C: Fn(SnapshotRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Snapshot, BoxError>> + Send + 'static,
    {
        Self::Snapshot(MakeSnapshot::new(make))
    }

    /// Returns the status of a response whose client cannot resume, if that is its end.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Stop => Some(204),
            Self::Status(status @ 400..=599) => Some(*status),
            Self::Status(_) => Some(410),
            _ => None,
        }
    }

    /// Limits, by this clock, the time that the application may take to make a snapshot.
    pub(crate) fn on(self, timer: &Timer) -> Self {
        match self {
            Self::Snapshot(make) => Self::Snapshot(make.on(timer)),
            other => other,
        }
    }
}
