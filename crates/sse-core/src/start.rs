use crate::EventId;

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
    /// The position after the event with this id, as if it were the client's last event ID; so it may be a gap.
    After(EventId),
}
