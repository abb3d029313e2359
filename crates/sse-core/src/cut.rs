/// The error of a body that breaks its response off, so that its client cannot take it for whole: the only error of an
/// [`EventStream`](crate::EventStream).
///
/// It comes only if [`Feed::cut_on_error`](crate::Feed::cut_on_error) or [`Feed::cut_on_goodbye`](crate::Feed::cut_on_goodbye) is set, after
/// whole frames, and never first. The framework
/// then closes the connection without the end of the body (HTTP/1.1: without the last chunk,
/// [RFC 9112, 8](https://www.rfc-editor.org/rfc/rfc9112#section-8)), or resets the stream (HTTP/2: `RST_STREAM`). Rocket does neither: it
/// ends the response like one that is whole.
///
/// ```
/// use std::io;
/// use futures_util::StreamExt;
/// use sse_core::StreamContext;
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// # let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
/// # let request = StreamRequest::new("GET", None, []);
///
/// let feed = StreamContext::run(|_| async { Err(io::Error::other("no model").into()) });
/// let body = StreamResponse::new(&request, feed.cut_on_error(), timer).body;
/// let last = body.map(|item| item.map(|_| ())).collect::<Vec<_>>().await.pop();
/// assert_eq!(io::Error::from(last.unwrap().unwrap_err()).kind(), io::ErrorKind::ConnectionAborted);
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event stream was broken off on purpose, so that its client does not take it for whole"
)]
pub struct Cut(());

impl Cut {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl From<Cut> for std::io::Error {
    fn from(cut: Cut) -> Self {
        Self::new(std::io::ErrorKind::ConnectionAborted, cut)
    }
}
