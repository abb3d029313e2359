use std::future::Future;

use crate::panics::caught;
use crate::{BoxError, FeedOnce, StreamContext};

impl StreamContext {
    /// Returns a context, and the feed for the client to which it sends.
    ///
    /// ```
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let (context, feed) = StreamContext::channel();
    /// let response = StreamResponse::new(&request, feed, timer);
    /// context.send_event("hello").await?;
    /// drop(context);
    /// assert!(response.text().await.ends_with("data: hello\n\n"));
    /// # Ok::<(), sse_core::Closed>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[doc(alias("sender", "mpsc"))]
    pub fn channel() -> (Self, FeedOnce) {
        let (context, receiver) = Self::pair();
        (context, FeedOnce::of_context(receiver, None))
    }

    /// Returns a feed whose events this closure sends. The closure runs as part of the stream, and is dropped when the client leaves.
    ///
    /// The stream ends when the closure returns. Its error is a [`BoxError`], which `?` makes of any error. If it fails or panics, that is
    /// reported like an error of a source ([`Feed::on_error`](crate::Feed::on_error)), and also ends the stream. A client that cannot resume then takes a part for the whole,
    /// unless [`Feed::error_event`](crate::Feed::error_event) or [`Feed::cut_on_error`](crate::Feed::cut_on_error) is set.
    ///
    /// For a future that is not `Send` use [`channel`](StreamContext::channel), and send from a local task.
    ///
    /// ```
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let feed = StreamContext::run(|context| async move {
    ///     context.send_event("the only event").await?;
    ///     Ok(())
    /// });
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.ends_with("data: the only event\n\n"));
    /// # }).unwrap();
    /// ```
    #[doc(alias("generator", "yield"))]
    pub fn run<C, F>(closure: C) -> FeedOnce
    where
        C: FnOnce(Self) -> F,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let (context, receiver) = Self::pair();
        // A panic of the closure is an error of the stream, like a panic of its future.
        let running = caught(|| closure(context));
        FeedOnce::of_context(receiver, Some(Box::pin(async move { running?.await })))
    }
}
