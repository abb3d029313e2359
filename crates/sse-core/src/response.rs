use crate::event_stream::EventStream;
use crate::event_stream::lines::opening;
use crate::feed::options::StreamOptions;
use crate::{Error, Event, FeedOnce, Frame, Gap, Headers, StreamRequest, Timer};

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
    /// The status: 200, or 204 if there is nothing more for this client, after which a browser does not reconnect; or the status that
    /// [`OnGap::Status`](crate::OnGap::Status) or [`finished_first_visit`](crate::StreamOptions::finished_first_visit) sets, or that of the
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
        Self::after(request, feed.into(), timer, None)
    }

    /// Returns the response to a request, like [`new`](StreamResponse::new), but asks the store first if only the store knows whether the client can
    /// resume: so that [`OnGap::Status`](crate::OnGap::Status) and [`OnGap::Stop`](crate::OnGap::Stop) have their status at once. It waits for
    /// [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout) at most; if the store fails, the response is that of `new`.
    ///
    /// ```
    /// # use sse_core::{EventLog, OnGap, Start, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let log = EventLog::in_memory(1000);
    /// log.append("one").await?;
    /// let feed = log.feed().start_at(Start::Skip(2)).on_gap(OnGap::Status(410));
    /// let response = StreamResponse::resolved(&request, feed, timer).await;
    /// assert_eq!(response.status, 410, "there is one event");
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn resolved(
        request: &StreamRequest,
        feed: impl Into<FeedOnce>,
        timer: Timer,
    ) -> Self {
        let feed = feed.into();
        let gap = match feed.lookup(request) {
            Some(lookup) => lookup.gap().await,
            None => None,
        };
        Self::after(request, feed, timer, gap)
    }

    fn after(request: &StreamRequest, feed: FeedOnce, timer: Timer, gap: Option<Gap>) -> Self {
        let (origin, options) = feed.into_parts();
        let origin = match origin {
            Ok(origin) => origin,
            Err(error) => return Self::failed(request, &error, &options, &timer),
        };
        match EventStream::new(request, origin, options, timer, gap) {
            Ok(body) => Self { status: 200, headers: Headers::EVENT_STREAM, body },
            Err(status) => {
                Self { status, headers: Headers::NO_CONTENT, body: EventStream::only(None) }
            }
        }
    }

    /// Returns the response to a request whose feed could not be made. `EventSource` comes back after it if the error will pass.
    fn failed(
        request: &StreamRequest,
        error: &Error,
        options: &StreamOptions,
        timer: &Timer,
    ) -> Self {
        let (status, headers, body) = if error.will_pass() {
            let mut body = opening();
            body.extend(options.failure.report(error));
            let retry = options.retry.at_the_end(timer);
            body.extend_from_slice(Frame::from(Event::default().retry(retry)).as_bytes());
            (200, Headers::EVENT_STREAM, body.freeze())
        } else {
            match error.is_times_unsupported() {
                // It comes from an option of the feed: the application is told nowhere else.
                true => drop(options.failure.report(error)),
                false => tracing::debug!(?error, "an event stream was refused"),
            }
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
