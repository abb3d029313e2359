use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use sync_wrapper::SyncWrapper;

use crate::panics::caught;
use crate::{BoxError, Event, EventId, EventType, Frame, Gap, Timer};

/// The longest time that the application may take to make a snapshot.
const TIME: Duration = Duration::from_secs(30);

/// The application's own events in place of those that a client has lost: the state that the client would have if it had seen them.
///
/// Its events are frames, so that a snapshot made for one client can serve others: a clone shares them.
///
/// ```
/// use sse_core::{EventId, Snapshot};
///
/// let snapshot = Snapshot::new(["12 orders", "3 of them late"], EventId::from_static("k3b9.7"));
/// assert_eq!(snapshot.events[0].as_bytes(), b"data: 12 orders\n\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "applications make it from its two parts")]
pub struct Snapshot {
    /// The events. They go out without ids, except the last, which has the id `at`: a client that is cut off before the last begins again.
    /// If there are no events, an event of type `snapshot` with empty data has this id. A log refuses an event that is larger than its
    /// [`LogOptions::largest_event`](crate::LogOptions::largest_event).
    pub events: Vec<Frame>,
    /// The id of the newest event that is already in them: the stream continues after it.
    pub at: EventId,
}

/// The closure that makes a [`Snapshot`]: for a first visit in [`Start::Snapshot`](crate::Start::Snapshot), after a gap in
/// [`OnGap::Snapshot`](crate::OnGap::Snapshot). A clone is the same closure, so one serves both.
///
/// ```
/// use sse_core::{Event, EventLog, MakeSnapshot, OnGap, Snapshot, Start};
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
/// # let timer = || Timer::new(std::time::Instant::now, |_| std::future::pending());
/// # async fn all_orders() -> std::io::Result<String> { Ok(String::from("12 orders")) }
/// # futures_util::future::FutureExt::now_or_never(async {
///
/// let log = EventLog::in_memory(1000);
/// let head = log.clone();
/// let make = MakeSnapshot::new(move |_request| {
///     // First the position of the log, then the state: an event in between is in both, and not lost.
///     let at = head.stats().newest;
///     async { Ok(Snapshot::new([all_orders().await?], at)) }
/// });
/// let feed = log.feed().start_at(Start::Snapshot(make.clone())).on_gap(OnGap::Snapshot(make));
/// for (id, resets) in [("", 0), ("no-id", 1)] {
///     let request = StreamRequest::new("GET", None, [("Last-Event-ID", id.as_bytes())]);
///     let text = StreamResponse::new(&request, feed.clone(), timer()).text().await;
///     assert!(text.contains("data: 12 orders\n"));
///     assert_eq!(text.matches("event: reset\n").count(), resets);
/// }
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MakeSnapshot(Arc<dyn Fn(SnapshotRequest) -> Making + Send + Sync>);

/// The reason for which a snapshot is made.
///
/// ```
/// use sse_core::{MakeSnapshot, Snapshot, SnapshotRequest};
///
/// let make = MakeSnapshot::new(|request: SnapshotRequest| async move {
///     let is_first_visit = request.gap.is_none();
///     Err(format!("no state yet; a first visit: {is_first_visit}").into())
/// });
/// assert_eq!(format!("{make:?}"), "MakeSnapshot");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotRequest {
    /// The gap; `None` on a first visit.
    pub gap: Option<Gap>,
    /// The name of the log for which it is made, in a [`merge`](crate::merge) of several.
    pub log: Option<Arc<str>>,
}

pub(crate) type Making = Pin<Box<dyn Future<Output = Result<Snapshot, BoxError>> + Send>>;

/// A snapshot in the making, as part of the stream that waits for it.
pub(crate) type Waiting = SyncWrapper<Making>;

impl MakeSnapshot {
    /// Returns a closure that makes snapshots.
    ///
    /// It runs as part of the stream, and is dropped when the client leaves. It returns a [`BoxError`], which `?` makes of any error. The
    /// response ends, and the client comes back, if the closure fails or panics, if the position of the snapshot cannot be resumed, or if it
    /// takes longer than 30 s. Over a store the position may be ahead of what this process has seen: the log then asks the store.
    ///
    /// ```
    /// use sse_core::{EventId, MakeSnapshot, Snapshot, Start};
    ///
    /// let make = MakeSnapshot::new(|_request| async {
    ///     Ok(Snapshot::new(["12 orders"], EventId::from_static("k3b9.7")))
    /// });
    /// assert_eq!(Start::Snapshot(make.clone()), Start::Snapshot(make));
    /// ```
    pub fn new<C, F>(make: C) -> Self
    where
        C: Fn(SnapshotRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Snapshot, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(make(request))))
    }

    pub(crate) fn begin(&self, request: SnapshotRequest) -> Waiting {
        SyncWrapper::new((self.0)(request))
    }

    /// Limits, by this clock, the time that the application may take.
    pub(crate) fn on(self, timer: &Timer) -> Self {
        let timer = timer.clone();
        Self(Arc::new(move |request| self.begin_within(request, &timer)))
    }

    fn begin_within(&self, request: SnapshotRequest, timer: &Timer) -> Making {
        let (make, timer) = (self.clone(), timer.clone());
        Box::pin(async move {
            // Called here, and not in the handler: a panic is caught here.
            let making = caught(|| (make.0)(request))?;
            let making = std::panic::AssertUnwindSafe(making).catch_unwind();
            match select(making, timer.sleep(TIME)).await {
                Either::Left((Ok(made), _)) => made,
                Either::Left((Err(panic), _)) => Err(crate::panics::error(&*panic)),
                Either::Right(_) => Err(format!("it was not made within {TIME:?}").into()),
            }
        })
    }
}

impl Snapshot {
    /// Returns a snapshot of these events, which replace all events up to this id.
    ///
    /// ```
    /// use sse_core::{EventLog, Snapshot};
    ///
    /// let log = EventLog::in_memory(1000);
    /// let at = log.append_now("order 12")?.wait()?;
    /// let snapshot = Snapshot::new(["12 orders"], at.clone());
    /// assert_eq!((snapshot.events.len(), snapshot.at), (1, at));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    pub fn new<E: Into<Frame>>(events: impl IntoIterator<Item = E>, at: EventId) -> Self {
        Self { events: events.into_iter().map(Into::into).collect(), at }
    }

    /// Returns the size of the largest event, in bytes.
    pub(crate) fn largest(&self) -> usize {
        self.events.iter().map(|frame| frame.block().len()).max().unwrap_or(0)
    }

    /// Returns the events as they go out.
    pub(crate) fn into_frames(self) -> impl Iterator<Item = Frame> {
        const SNAPSHOT: EventType = EventType::from_static("snapshot");
        let Self { mut events, at } = self;
        // An id alone is ignored by some clients, and an event without a type is delivered by others.
        let last = events.pop().unwrap_or_else(|| Event::new("").event_type(SNAPSHOT).into());
        let last = last.with_id(at);
        events.into_iter().map(Frame::without_id).chain([last])
    }

    /// Returns the events as they go out, as bytes.
    pub(crate) fn into_bytes(self) -> Vec<Bytes> {
        self.into_frames().map(Frame::into_bytes).collect()
    }
}

/// Equal if they are clones of one closure.
impl PartialEq for MakeSnapshot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for MakeSnapshot {}

impl fmt::Debug for MakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeSnapshot")
    }
}
