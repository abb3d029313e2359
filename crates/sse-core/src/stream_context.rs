// Longer than other files: its methods are few, and each has its example.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;

use crate::sync::MutexGuard;
use crate::{Frame, encode};

mod channel;
mod feed;

pub(crate) use channel::Receiver;
use channel::{Shared, State};

/// The number of bytes that wait for one client before a sender waits.
const CAPACITY: usize = 64 * 1024;

/// The sending end of one client's stream: it sends to this client only.
///
/// There are two ways to make one. [`channel`](StreamContext::channel) returns the sending end, for a task of its own:
/// ```
/// use sse_core::{Event, FeedOnce, StreamContext};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let (context, _feed): (StreamContext, FeedOnce) = StreamContext::channel();
/// context.send_event(Event::new("hello")).await?;
/// context.send_comment("only for people who read the wire").await?;
/// context.close();
/// assert!(context.is_closed());
/// # Ok::<(), sse_core::Closed>(())
/// # }).unwrap().unwrap();
/// ```
///
/// [`run`](StreamContext::run) passes it to an async closure, which runs as part of the stream and is dropped when its client leaves:
///
/// ```
/// use sse_core::{Event, StreamContext};
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
/// let feed = StreamContext::run(|context| async move {
///     for number in 1..=3 {
///         context.send_event(Event::new(number.to_string())).await?;
///     }
///     Ok(())
/// });
/// assert!(StreamResponse::new(&request, feed, timer).text().await.ends_with("data: 3\n\n"));
/// # }).unwrap();
/// ```
///
/// Less than 64 KiB of events, and one more, wait for a slow client; then [`send_event`](StreamContext::send_event) waits. An event can have any
/// size: [`Frame::encode`](crate::Frame::encode) refuses one that is too large for you. The stream
/// ends with [`close`](StreamContext::close), with the closure, or once every clone of the context is dropped. A browser reconnects
/// after that, and a closure runs again: let the last event say that it is the last, so that the page closes its `EventSource`. A client
/// can resume only from an [`EventLog`](crate::EventLog) or a [`Source`](crate::Source).
/// A [`Shutdown`](crate::Shutdown) ends it only if its feed has one: [`Feed::shutdown`](crate::Feed::shutdown).
pub struct StreamContext(Arc<Shared>);

/// The error of a stream that is over: its client is gone, or it was closed. Nothing sent from now on arrives.
///
/// ```
/// use sse_core::{Closed, StreamContext};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let (context, feed) = StreamContext::channel();
/// drop(feed);
/// assert_eq!(context.send_event("too late").await, Err(Closed));
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this stream is over: its client is gone, or it was closed")]
#[allow(clippy::exhaustive_structs, reason = "it has nothing to say but its name")]
pub struct Closed;

impl StreamContext {
    /// Sends an event, or waits until there is room for it.
    ///
    /// ```
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let (context, feed) = StreamContext::channel();
    /// context.send_event("hello").await?;
    /// context.close();
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.ends_with("data: hello\n\n"));
    /// # Ok::<(), sse_core::Closed>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`] if the client is gone, or the stream was closed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it waits, nothing was sent.
    pub async fn send_event(&self, event: impl Into<Frame>) -> Result<(), Closed> {
        self.send(event.into().as_bytes()).await
    }

    /// Sends a comment, which clients ignore, or waits until there is room for it.
    ///
    /// ```
    /// # use sse_core::{StreamContext, StreamRequest, StreamResponse, Timer};
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
    /// let (context, feed) = StreamContext::channel();
    /// context.send_comment("from node 3").await?;
    /// context.close();
    /// let text = StreamResponse::new(&request, feed, timer).text().await;
    /// assert!(text.ends_with("\n: from node 3\n"));
    /// # Ok::<(), sse_core::Closed>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`] if the client is gone, or the stream was closed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it waits, nothing was sent.
    pub async fn send_comment(&self, text: &str) -> Result<(), Closed> {
        let mut bytes = BytesMut::new();
        encode::comment(text, &mut bytes);
        self.send(&bytes).await
    }

    /// Ends the stream, once all that was sent has gone out.
    ///
    /// ```
    /// let (context, _feed) = sse_core::StreamContext::channel();
    /// context.close();
    /// assert!(context.is_closed());
    /// ```
    pub fn close(&self) {
        self.0.close();
    }

    /// Returns true if the client is gone, or the stream was closed.
    ///
    /// ```
    /// let (context, feed) = sse_core::StreamContext::channel();
    /// assert!(!context.is_closed());
    /// drop(feed);
    /// assert!(context.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.lock().is_over()
    }

    /// Waits until the client is gone, or the stream was closed. Cancel safe.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let (context, feed) = sse_core::StreamContext::channel();
    /// let ((), left) = futures_util::join!(async { drop(feed) }, async { context.closed().await; true });
    /// assert!(left);
    /// # }).unwrap();
    /// ```
    pub async fn closed(&self) {
        self.until(|state| state.is_over().then_some(())).await;
    }

    async fn send(&self, bytes: &[u8]) -> Result<(), Closed> {
        self.until(|state| {
            if state.is_over() {
                return Some(Err(Closed));
            }
            if state.buffer.len() >= CAPACITY {
                return None;
            }
            state.buffer.extend_from_slice(bytes);
            Some(Ok(()))
        })
        .await?;
        self.0.wake_stream();
        Ok(())
    }

    /// Waits until this attempt returns a value.
    async fn until<T>(&self, mut attempt: impl FnMut(&mut State) -> Option<T>) -> T {
        if let Some(done) = attempt(&mut self.lock()) {
            return done;
        }
        let waiting = Waiting { context: self, key: self.lock().senders.insert() };
        poll_fn(|cx| {
            let mut state = self.lock();
            match attempt(&mut state) {
                Some(done) => Poll::Ready(done),
                None => {
                    let unneeded = state.senders.wait(waiting.key, cx.waker());
                    drop(state);
                    drop(unneeded);
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn pair() -> (Self, Receiver) {
        let shared = Arc::new(Shared::with_one_context());
        (Self(Arc::clone(&shared)), Receiver(shared))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

/// A registration among the waiting senders. It is removed when its future is dropped.
struct Waiting<'a> {
    context: &'a StreamContext,
    key: usize,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let unneeded = self.context.lock().senders.remove(self.key);
        drop(unneeded);
    }
}

impl Clone for StreamContext {
    fn clone(&self) -> Self {
        self.lock().contexts += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for StreamContext {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.contexts -= 1;
        let was_last = state.contexts == 0;
        drop(state);
        if was_last {
            self.0.close();
        }
    }
}

impl fmt::Debug for StreamContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamContext").field("is_closed", &self.is_closed()).finish()
    }
}
