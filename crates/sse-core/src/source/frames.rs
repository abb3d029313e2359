use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt};
use sync_wrapper::SyncWrapper;

use crate::{BoxError, Frame};

/// The events of a [`Source`](crate::Source), as a stream. An error ends the response after whole frames: the client comes back and
/// resumes.
///
/// ```
/// use futures_util::{stream, StreamExt};
/// use sse_core::{Event, Frames};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let rows = stream::iter([Ok::<_, std::io::Error>(Event::new("one"))]);
/// let mut frames = Frames::new(rows);
/// let first = frames.next().await.unwrap()?;
/// assert_eq!(first.as_bytes(), b"data: one\n\n");
/// # Ok::<(), sse_core::BoxError>(())
/// # }).unwrap().unwrap();
/// ```
pub struct Frames(SyncWrapper<Boxed>);

type Boxed = Pin<Box<dyn Stream<Item = Result<Frame, BoxError>> + Send>>;

impl Frames {
    /// Returns the events of this stream, which may come one by one, as from a query. They are whatever becomes a [`Frame`]; an error may
    /// be of any type.
    ///
    /// ```
    /// use futures_util::stream;
    /// use sse_core::{Event, Frames, Replay};
    ///
    /// let rows = stream::iter([Ok::<_, std::io::Error>(Event::new("one"))]);
    /// assert!(matches!(Replay::from(Frames::new(rows)), Replay::Events(_)));
    /// ```
    pub fn new<S, T, E>(events: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Into<Frame> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self(SyncWrapper::new(events.map_ok(Into::into).map_err(Into::into).boxed()))
    }
}

impl Stream for Frames {
    type Item = Result<Frame, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.get_mut().as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frames")
    }
}
