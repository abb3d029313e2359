use std::error::Error as StdError;

use crate::event_stream::EventStream;
use crate::event_stream::lines::{goodbye, opening};
use crate::feed::options::StreamOptions;
use crate::{Error, FeedOnce, Headers, StreamRequest, Timer};

/// The status, headers and body of the response, which every framework's adapter copies.
///
/// ```
/// use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
///
/// let request = StreamRequest::new("GET", None, []);
/// let timer = Timer::new(std::time::Instant::now, tokio::time::sleep);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let response = StreamResponse::new(&request, EventLog::in_memory(1000), timer);
/// assert_eq!(response.status, 200);
/// assert_eq!(response.headers.get("content-type"), Some("text/event-stream; charset=utf-8"));
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamResponse {
    /// The status: 200; 204 if there is nothing more for this client, after which a browser does not reconnect; or that of the
    /// [error](Error::status) for which there is no feed.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: EventStream,
}

impl StreamResponse {
    /// Returns the response to a request, with the events of this feed. It reads and fetches nothing yet: that happens when the body is
    /// polled, in the runtime to which `timer` belongs.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// log.finish().await?;
    /// let response = StreamResponse::new(&request, &log, timer);
    /// assert_eq!(response.status, 204, "there will be no event");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    pub fn new(request: &StreamRequest, feed: impl Into<FeedOnce>, timer: Timer) -> Self {
        let (origin, options) = feed.into().into_parts();
        let origin = match origin {
            Ok(origin) => origin,
            Err(error) => return Self::failed(request, &error, &options),
        };
        match EventStream::new(request, origin, options, timer) {
            Some(body) => Self { status: 200, headers: Headers::EVENT_STREAM, body },
            None => {
                Self { status: 204, headers: Headers::NO_CONTENT, body: EventStream::only(None) }
            }
        }
    }

    /// Returns the response to a request whose feed could not be made. `EventSource` comes back after it if the error will pass.
    fn failed(request: &StreamRequest, error: &Error, options: &StreamOptions) -> Self {
        let (status, headers, body) = if error.will_pass() {
            let mut body = opening();
            body.extend(options.failure.report(error));
            body.extend_from_slice(&goodbye(options.retry));
            (200, Headers::EVENT_STREAM, body.freeze())
        } else {
            tracing::debug!(error = error as &dyn StdError, "an event stream was refused");
            (error.status(), Headers::REFUSAL, error.client_text().into())
        };
        let body = EventStream::only((!request.is_head()).then_some(body));
        Self { status, headers, body }
    }

    /// Reads the events that there are for this client at this moment, without waiting for later ones: for the test of a handler. It reads
    /// the body of a [`Source`](crate::Source) to the end of the replay, and the body of a [`StreamContext`](crate::StreamContext) to its end.
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
    /// If the future is dropped, the text that was read is lost.
    pub async fn text(self) -> String {
        self.body.text().await
    }
}
