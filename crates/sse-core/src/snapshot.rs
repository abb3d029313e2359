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

/// The closure that makes a [`Snapshot`], in [`OnGap::Snapshot`](crate::OnGap::Snapshot).
///
/// ```
/// use sse_core::{EventId, MakeSnapshot, OnGap, Snapshot};
///
/// let at = EventId::from_static("k3b9.7");
/// let OnGap::Snapshot(make) = OnGap::snapshot(move |_gap| {
///     let at = at.clone();
///     async { Ok(Snapshot::new(["12 orders"], at)) }
/// }) else { unreachable!() };
/// let shared: MakeSnapshot = make.clone();
/// assert!(matches!(OnGap::Snapshot(shared), OnGap::Snapshot(_)));
/// ```
#[derive(Clone)]
pub struct MakeSnapshot(pub(crate) Arc<dyn Fn(Gap) -> Making + Send + Sync>);

pub(crate) type Making = Pin<Box<dyn Future<Output = Result<Snapshot, BoxError>> + Send>>;

/// A snapshot in the making, as part of the stream that waits for it.
pub(crate) type Waiting = SyncWrapper<Making>;

impl MakeSnapshot {
    pub(crate) fn begin(&self, gap: Gap) -> Waiting {
        SyncWrapper::new((self.0)(gap))
    }

    pub(crate) fn begin_within(&self, gap: Gap, timer: &Timer) -> Making {
        let (make, timer) = (self.clone(), timer.clone());
        Box::pin(async move {
            // Called here, and not in the handler: a panic is caught here.
            let making = caught(|| (make.0)(gap))?;
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

impl fmt::Debug for MakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeSnapshot")
    }
}
