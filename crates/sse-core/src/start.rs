use std::future::Future;
use std::time::Duration;

use crate::{BoxError, EventId, MakeSnapshot, Snapshot, SnapshotRequest, Timer};

/// The position at which the stream of a new client begins: a client that sends no last event ID.
///
/// ```
/// use sse_core::{EventLog, Start, StreamRequest, StreamResponse, Timer};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
/// let log = EventLog::in_memory(1000);
/// log.append_all(["one", "two", "three"]).await?;
/// let feed = log.feed().start_at(Start::Last(1));
/// let text = StreamResponse::new(&request, feed, timer).text().await;
/// assert!(text.contains("data: three\n") && !text.contains("data: two\n"));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// The next event. The default.
    #[default]
    #[doc(alias("Latest", "now"))]
    Live,
    /// The oldest event that is kept.
    #[doc(alias("from_start", "beginning"))]
    Oldest,
    /// This many of the newest events, or as many as are kept.
    #[doc(alias("history", "last"))]
    Last(usize),
    /// The oldest event that was stored within this time, or the oldest that is kept: for a page that shows the last minutes.
    ///
    /// An event that is exactly as old is given. If a clock was set back, or a store knows the times less exactly, a client gets some events that
    /// are a little older, too. Ages are by the clock of the store. In memory they are by the clock of the log, if it
    /// [keeps times](field@crate::LogOptions::keeps_times). For a stream of topics it is the position in the whole log, and in a
    /// [`merge`](crate::merge) the position in each log.
    ///
    /// If the log keeps no times, there is no stream: each response has the [status](crate::Error::status) 500, and a warning says what to do.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sse_core::{EventLog, LogOptions, Start, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    /// # let request = StreamRequest::new("GET", None, []);
    /// let log = EventLog::in_memory_with(timer.clone(), LogOptions::new().keeps_times(true));
    /// log.append("a while ago").await?;
    /// tokio::time::sleep(Duration::from_secs(600)).await;
    /// log.append("just now").await?;
    /// let feed = log.feed().start_at(Start::Since(Duration::from_secs(60)));
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: just now\n") && !text.contains("a while ago"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias("age", "window", "recent", "timestamp"))]
    Since(Duration),
    /// The position after the first events, for a client that counts those that it has: of the events that this stream would get from the
    /// beginning of the log, this many are left out. At most 1 000 000. The log looks at each of them, so the cost grows with their number.
    ///
    /// It is a gap if any of them was dropped, deleted or superseded, if there are not so many, or if the number is too large. If the log cannot
    /// tell that none was, that is a gap, too: in memory and over redb, if any event before the position is missing, whatever its topics; over
    /// another store, and for a stream of topics over any, if an event was deleted in this epoch or any event of the log has a key. So use it for
    /// logs without keys, such as the log of one answer. In a [`merge`](crate::merge) it is the number in each log.
    Skip(usize),
    /// The position of a snapshot: the client first gets the application's own events, which stand for all that was before, then the events
    /// after them. [`Start::snapshot`] makes it; [`MakeSnapshot`] shows how one closure serves both a first visit and a gap.
    ///
    /// The last of the application's events has the id of the position. A client that is cut off before it begins again, as a first visit. In
    /// a [`merge`](crate::merge) each log has its own snapshot. After it a [`Source`](crate::Source) is asked to `fetch` what came later.
    Snapshot(MakeSnapshot),
    /// The position after the event with this id, as if it were the client's last event ID; so it may be a gap.
    After(EventId),
}

impl Start {
    /// Returns the start with the snapshot that this closure makes. [`MakeSnapshot::new`] says what holds for the closure.
    ///
    /// ```
    /// use sse_core::{EventLog, Snapshot, Start, StreamRequest, StreamResponse, Timer};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// let before = log.append("order 12").await?;
    /// log.append("order 13").await?;
    /// let feed = log.feed().start_at(Start::snapshot(move |_request| {
    ///     let at = before.clone();
    ///     async { Ok(Snapshot::new(["12 orders"], at)) }
    /// }));
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.contains("data: 12 orders\nid: ") && text.contains("data: order 13\n"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn snapshot<C, F>(make: C) -> Self
    where
        C: Fn(SnapshotRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Snapshot, BoxError>> + Send + 'static,
    {
        Self::Snapshot(MakeSnapshot::new(make))
    }

    /// Limits, by this clock, the time that the application may take to make a snapshot.
    pub(crate) fn on(self, timer: &Timer) -> Self {
        match self {
            Self::Snapshot(make) => Self::Snapshot(make.on(timer)),
            other => other,
        }
    }
}
