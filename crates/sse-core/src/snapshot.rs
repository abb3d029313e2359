use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sync_wrapper::SyncWrapper;

use crate::{BoxError, Event, EventId, EventType, Frame, Gap, OnGap};

/// The application's own events in place of those that a client has lost: the state it would have, had it seen them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// They go out without ids, but for the last, which carries `at`: a client that is cut off before it begins anew. Where there is
    /// none, an event of type `snapshot` with empty data carries it.
    pub events: Vec<Event>,
    /// What is already in them: the stream goes on after the event with this id.
    pub at: EventId,
}

/// What makes a [`Snapshot`]; see [`OnGap::snapshot`].
#[derive(Clone)]
pub struct MakeSnapshot(Arc<dyn Fn(Gap) -> Making + Send + Sync>);

type Making = Pin<Box<dyn Future<Output = Result<Snapshot, BoxError>> + Send>>;

/// A snapshot that is being made, as part of the stream that waits for it.
pub(crate) type Waiting = SyncWrapper<Making>;

impl OnGap {
    /// An event of type `reset`, then what this closure makes, then what came after it.
    ///
    /// The closure runs as part of the stream, and is dropped when the client leaves. An error of it ends the response, and the
    /// client comes back to the same gap; so does an `at` that is itself a gap.
    ///
    /// ```
    /// use sse_core::{Event, EventLog, OnGap, Snapshot};
    ///
    /// # async fn all_orders() -> std::io::Result<String> { Ok(String::new()) }
    /// let log = EventLog::in_memory(1000);
    /// let head = log.clone();
    /// let feed = log.feed().on_gap(OnGap::snapshot(move |_gap| {
    ///     // Where the log is now, and then the state: what comes in between is in both, and not lost.
    ///     let at = head.stats().newest;
    ///     async { Ok::<_, std::io::Error>(Snapshot { events: vec![all_orders().await?.into()], at }) }
    /// }));
    /// # drop(feed);
    /// ```
    pub fn snapshot<C, F, E>(make: C) -> Self
    where
        C: Fn(Gap) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Snapshot, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::Snapshot(MakeSnapshot(Arc::new(move |gap| {
            let making = make(gap);
            Box::pin(async move { making.await.map_err(Into::into) })
        })))
    }
}

impl MakeSnapshot {
    pub(crate) fn begin(&self, gap: Gap) -> Waiting {
        SyncWrapper::new((self.0)(gap))
    }
}

impl Snapshot {
    /// The events as they go out.
    pub(crate) fn into_frames(mut self) -> Vec<Frame> {
        const SNAPSHOT: EventType = EventType::from_static("snapshot");
        if self.events.is_empty() {
            // An id alone is ignored by some clients, and an event without a type is delivered by others.
            self.events.push(Event::new("").event_type(SNAPSHOT));
        }
        let last = self.events.len().saturating_sub(1);
        let at = |i| (i == last).then(|| self.at.clone());
        let events = self.events.into_iter().enumerate();
        events.map(|(i, event)| Frame::from(Event { id: at(i), ..event })).collect()
    }

    /// The same in one piece.
    pub(crate) fn into_bytes(self) -> Bytes {
        let mut bytes = BytesMut::new();
        for frame in self.into_frames() {
            bytes.extend_from_slice(frame.as_bytes());
        }
        bytes.freeze()
    }
}

impl fmt::Debug for MakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeSnapshot")
    }
}
