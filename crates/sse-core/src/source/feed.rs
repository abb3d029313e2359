//! The feed of a stream.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::StreamExt;

use crate::{BoxError, EventId, Feed, FeedOnce, Frame, Frames, Replay, Source};

impl Feed {
    /// Returns the feed of one client whose events are those of this stream: make the stream in the handler. Its items are events, or whatever
    /// becomes a [`Frame`], or a `Result` of these.
    ///
    /// The stream is read only as fast as the client reads, so nothing is buffered here. It is dropped when the client leaves. The response
    /// ends with the stream, or after an error, and `EventSource` then reconnects: let the last event say that it is the last.
    ///
    /// It is live only. If its events have ids, a client that comes back sends the last one; that is a [`Gap`](crate::Gap), and by default the
    /// client gets a `reset`. If the handler makes a stream that begins after that id, set [`OnGap::Live`](crate::OnGap::Live). Without ids
    /// a client that comes back is a new one. To have clients resume, append the events to an [`EventLog`](crate::EventLog), or implement a
    /// [`Source`].
    ///
    /// ```
    /// # use sse_core::{StreamRequest, StreamResponse, Timer};
    /// use futures_util::stream;
    /// use sse_core::{Event, Feed};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let feed = Feed::from_stream(stream::iter([Event::new("one"), Event::new("two")])).no_retry();
    /// # use futures_util::TryStreamExt;
    /// let body = StreamResponse::new(&request, feed, timer).body;
    /// # let chunks: Vec<_> = body.try_collect().await.unwrap();
    /// assert_eq!(chunks.concat(), b": ok\ndata: one\n\ndata: two\n\n");
    /// # }).unwrap();
    /// ```
    #[doc(alias("new", "broadcast", "channel", "receiver"))]
    pub fn from_stream<S>(stream: S) -> FeedOnce
    where
        S: Stream<Item: StreamItem> + Send + 'static,
    {
        let frames = Frames::new(stream.map(StreamItem::into_frame));
        Self::from(Once(Mutex::new(Some(frames)))).into()
    }
}

/// An item of [`Feed::from_stream`]: whatever becomes a [`Frame`], such as an [`Event`](crate::Event) or a text, or a `Result` of it with any
/// error.
///
/// ```
/// use futures_util::stream;
/// use sse_core::{Event, Feed, StreamItem};
///
/// fn is_item<T: StreamItem>(_: T) -> bool {
///     true
/// }
/// assert!(is_item("a text") && is_item(Ok::<_, std::io::Error>(Event::new("an event"))));
/// ```
pub trait StreamItem {
    /// Returns the item as it goes out.
    ///
    /// ```
    /// use sse_core::StreamItem;
    ///
    /// assert_eq!("a text".into_frame()?.as_bytes(), b"data: a text\n\n");
    /// # Ok::<(), sse_core::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the item, which ends the response.
    fn into_frame(self) -> Result<Frame, BoxError>;
}

impl<T: Into<Frame>> StreamItem for T {
    fn into_frame(self) -> Result<Frame, BoxError> {
        Ok(self.into())
    }
}

impl<T: Into<Frame>, E: Into<BoxError>> StreamItem for Result<T, E> {
    fn into_frame(self) -> Result<Frame, BoxError> {
        self.map(Into::into).map_err(Into::into)
    }
}

/// A source with the stream of one client, and nothing else.
struct Once(Mutex<Option<Frames>>);

#[async_trait]
impl Source for Once {
    async fn fetch(&self, _: &EventId) -> Result<Replay, BoxError> {
        Ok(Replay::Gap)
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        stream.ok_or_else(|| "the stream has been read already".into())
    }
}
