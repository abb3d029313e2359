use crate::event_stream::EventStream;
use crate::{FeedOnce, StreamRequest, Timer};

/// Status, headers and body of the answer, the same for every framework to copy over.
///
/// ```
/// use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
///
/// let request = StreamRequest::new("GET", None, []);
/// let timer = Timer::new(std::time::Instant::now, tokio::time::sleep);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let response = StreamResponse::new(&request, EventLog::in_memory(1000), timer);
/// assert_eq!(response.status, 200);
/// assert!(response.headers.contains(&("content-type", "text/event-stream; charset=utf-8")));
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamResponse {
    /// 200; or 204 where there is nothing more for this client, after which a browser asks no more.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub body: EventStream,
}

/// The standard needs no `charset` (event streams are UTF-8); a client that knows `text/*` alone takes them for ISO-8859-1 without it.
/// `no-transform` keeps proxies from compressing, and so from holding events back; nginx wants a header of its own for that.
const EVENT_STREAM: &[(&str, &str)] = &[
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
];

/// A cached 204 would end streams that have not ended.
const NO_CONTENT: &[(&str, &str)] = &[("cache-control", "no-cache, no-transform")];

impl StreamResponse {
    /// Answers a request with this feed. Nothing is read or fetched yet: that happens as the body is polled, in the runtime whose
    /// `timer` this is.
    pub fn new(request: &StreamRequest, feed: impl Into<FeedOnce>, timer: Timer) -> Self {
        match EventStream::new(request, feed.into(), timer) {
            Some(body) => Self { status: 200, headers: EVENT_STREAM, body },
            None => Self { status: 204, headers: NO_CONTENT, body: EventStream::empty() },
        }
    }

    /// Reads what there is for this client at this moment, without waiting for what comes later: for the test of a handler. The body of a
    /// [`Source`](crate::Source) is read to the end of the replay, that of a [`StreamContext`](crate::StreamContext) to its end.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let log = EventLog::in_memory(1000);
    /// let before = log.stats().newest;
    /// log.append("hello").await?;
    /// let request = StreamRequest::new("GET", None, [("Last-Event-ID", before.as_str().as_bytes())]);
    /// let timer = Timer::new(std::time::Instant::now, tokio::time::sleep);
    /// let text = StreamResponse::new(&request, &log, timer).text().await;
    /// assert!(text.contains("data: hello\n"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// What was read is lost.
    pub async fn text(self) -> String {
        self.body.text().await
    }
}
