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

/// How long the application may take to make a snapshot.
const TIME: Duration = Duration::from_secs(30);

/// The application's own events in place of those that a client has lost: the state it would have, had it seen them.
///
/// Its events are frames, so that one that was made for one client can serve others: a clone shares them.
///
/// ```
/// use sse_core::{EventId, Snapshot};
///
/// let snapshot = Snapshot::new(["12 orders", "3 of them late"], EventId::from_static("k3b9.7"));
/// assert_eq!(snapshot.events[0].as_bytes(), b"data: 12 orders\n\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// They go out without ids, but for the last, which carries `at`: a client that is cut off before it begins anew. If there are
    /// no events, one of type `snapshot` with empty data carries it. A log refuses one that is larger than its
    /// [`LogOptions::largest_event`](crate::LogOptions::largest_event).
    pub events: Vec<Frame>,
    /// What is already in them: the stream goes on after the event with this id.
    pub at: EventId,
}

/// What makes a [`Snapshot`]; see [`OnGap::snapshot`](crate::OnGap::snapshot).
#[derive(Clone)]
pub struct MakeSnapshot(pub(crate) Arc<dyn Fn(Gap) -> Making + Send + Sync>);

pub(crate) type Making = Pin<Box<dyn Future<Output = Result<Snapshot, BoxError>> + Send>>;

/// A snapshot that is being made, as part of the stream that waits for it.
pub(crate) type Waiting = SyncWrapper<Making>;

impl MakeSnapshot {
    pub(crate) fn begin(&self, gap: Gap) -> Waiting {
        SyncWrapper::new((self.0)(gap))
    }

    pub(crate) fn begin_within(&self, gap: Gap, timer: &Timer) -> Making {
        let (make, timer) = (self.clone(), timer.clone());
        Box::pin(async move {
            // Called here, where a panic is caught, and not in the handler.
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
    /// Events that stand for all that came up to this position.
    pub fn new<E: Into<Frame>>(events: impl IntoIterator<Item = E>, at: EventId) -> Self {
        Self { events: events.into_iter().map(Into::into).collect(), at }
    }

    /// The size of the largest event, in bytes.
    pub(crate) fn largest(&self) -> usize {
        self.events.iter().map(|frame| frame.block().len()).max().unwrap_or(0)
    }

    /// The events as they go out.
    pub(crate) fn into_frames(self) -> impl Iterator<Item = Frame> {
        const SNAPSHOT: EventType = EventType::from_static("snapshot");
        let Self { mut events, at } = self;
        // An id alone is ignored by some clients, and an event without a type is delivered by others.
        let last = events.pop().unwrap_or_else(|| Event::new("").event_type(SNAPSHOT).into());
        let last = last.with_id(at);
        events.into_iter().map(Frame::without_id).chain([last])
    }

    /// The same as bytes.
    pub(crate) fn into_bytes(self) -> Vec<Bytes> {
        self.into_frames().map(Frame::into_bytes).collect()
    }
}

impl fmt::Debug for MakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeSnapshot")
    }
}
