use std::future::Future;
use std::sync::Arc;

use crate::{BoxError, Gap, MakeSnapshot, Snapshot, Timer};

/// What a stream does where its client cannot resume exactly where it was.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum OnGap {
    /// An event of type `reset`, then all that is retained, then live. The default.
    ///
    /// Its data is JSON: `{"reason": "too-old" | "unknown" | "other-epoch" | "ahead-of-head", "oldest": id | null, "newest": id | null}`;
    /// in a [`merge`](crate::merge) with `"log"`, the name of the one that it concerns.
    /// From a log its id is the position just before the oldest event, so that a client that is cut off right after it gets all
    /// that is retained when it comes back. From a [`Source`](crate::Source) it carries no id, and goes on live.
    ///
    /// A client that does not look at types reads the `reset` as an event like others: the AI SDK fails on it, and the SDKs of MCP skip it.
    /// For such clients choose [`Stop`](OnGap::Stop).
    #[default]
    Reset,
    /// The same event, then what a first visit would get: what [`Feed::start_at`](crate::Feed::start_at) says, then live. So an id that
    /// means nothing gives no client more than it would have had without one. From a log the id of the `reset` is the position after
    /// which it goes on. If `start_at` is an id that is a gap itself, it goes on with all that is retained.
    StartOver,
    /// A `reset` without an id, then the application's own events in place of those that were lost, then what came after them. Made
    /// by [`OnGap::snapshot`].
    Snapshot(MakeSnapshot),
    /// No word of it: the stream goes on live, with the [`position_event`](crate::Feed::position_event) if there is one. A stream that
    /// fell behind while it was open goes on with the newest event, so that it gets events however fast they come.
    Live,
    /// The end, for clients that do not look at the types of events, for example. The answer is 204, after which a browser asks no more; a
    /// few other clients ask again (react-native-sse, htmx 4). A gap that is found only later ends the response; the next
    /// one is the 204 of a log; over a store not if the id is ahead of the newest event, which the store is asked for each time. A [`Source`](crate::Source) that tells of a gap is asked again by every client that comes back.
    Stop,
}

impl OnGap {
    /// An event of type `reset`, then what this closure makes, then what came after it.
    ///
    /// The closure runs as part of the stream, and is dropped when the client leaves. An error of it ends the response, and the
    /// client comes back to the same gap; so does a panic, an `at` that is itself a gap, and a snapshot that takes longer than 30 s.
    /// Over a store `at` may be ahead of what this process has seen: then the store is asked.
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
    ///     async { Ok::<_, std::io::Error>(Snapshot::new([all_orders().await?], at)) }
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

    /// The same, with a bound in time by this clock for what the application does.
    pub(crate) fn on(self, timer: &Timer) -> Self {
        match self {
            Self::Snapshot(make) => {
                let timer = timer.clone();
                Self::Snapshot(MakeSnapshot(Arc::new(move |gap| make.begin_within(gap, &timer))))
            }
            other => other,
        }
    }
}
