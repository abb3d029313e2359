use std::future::Future;

use crate::panics::caught;
use crate::{BoxError, FeedOnce, StreamContext};

impl StreamContext {
    /// A context, and the feed for the client that it speaks to.
    pub fn channel() -> (Self, FeedOnce) {
        let (context, receiver) = Self::pair();
        (context, FeedOnce::of_context(receiver, None))
    }

    /// A feed whose events are sent by this closure. It is run as part of the stream, and dropped when the client leaves.
    ///
    /// When it returns the stream ends. An error or a panic of it is reported as that of a source
    /// ([`Feed::on_error`](crate::Feed::on_error)), and also ends the stream: a client that cannot resume takes a part for the whole, unless
    /// [`Feed::error_event`](crate::Feed::error_event) or [`Feed::cut_on_error`](crate::Feed::cut_on_error) says otherwise.
    ///
    /// For a future that is not `Send` use [`channel`](StreamContext::channel), and send from a local task.
    pub fn run<C, F, E>(closure: C) -> FeedOnce
    where
        C: FnOnce(Self) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let (context, receiver) = Self::pair();
        // A panic of it is an error of the stream, as that of its future is.
        let running = caught(|| closure(context));
        FeedOnce::of_context(
            receiver,
            Some(Box::pin(async move { running?.await.map_err(Into::into) })),
        )
    }
}
