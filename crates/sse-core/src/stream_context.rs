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

/// How many bytes wait for one client before a sender does.
const CAPACITY: usize = 64 * 1024;

/// The sending end of one client's stream: what is sent here, this client gets.
///
/// There are two ways to have one. As a channel, for whoever holds the sending end elsewhere:
///
/// ```
/// use sse_core::{Event, FeedOnce, StreamContext};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let (context, feed): (StreamContext, FeedOnce) = StreamContext::channel();
/// context.send_event(Event::new("hello")).await?;
/// context.send_comment("only for those who read the wire").await?;
/// context.close();
/// # drop(feed);
/// # Ok::<(), sse_core::Closed>(())
/// # }).unwrap().unwrap();
/// ```
///
/// Or by an async closure, which runs as part of the stream and is dropped when its client leaves:
///
/// ```
/// use sse_core::{Closed, Event, Feed, StreamContext};
///
/// let feed = StreamContext::run(|context| async move {
///     for number in 1..=3 {
///         context.send_event(Event::new(number.to_string())).await?;
///     }
///     Ok::<(), Closed>(())
/// });
/// # drop(feed);
/// ```
///
/// Events wait for a slow client, less than 64 KiB of them and one more; then [`send_event`](StreamContext::send_event) does. The stream
/// ends with [`close`](StreamContext::close), with the closure, or once every clone of the context is dropped. A browser comes back
/// after that, and a closure runs anew: let the last event say that it is the last, so that the page closes its `EventSource`. To
/// resume there must be something to resume from, as an [`EventLog`](crate::EventLog) or a [`Source`](crate::Source).
///
/// It ends with a [`Shutdown`](crate::Shutdown) only where its feed is given one: [`Feed::shutdown`](crate::Feed::shutdown).
pub struct StreamContext(Arc<Shared>);

/// The client is gone, or the stream was closed: nothing that is sent arrives any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this stream is over: its client is gone, or it was closed")]
pub struct Closed;

impl StreamContext {
    /// Sends an event, or waits until there is room for it.
    ///
    /// # Errors
    ///
    /// [`Closed`] once the client is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it has sent nothing.
    pub async fn send_event(&self, event: impl Into<Frame>) -> Result<(), Closed> {
        self.send(event.into().as_bytes()).await
    }

    /// Sends a comment, which clients ignore, or waits until there is room for it.
    ///
    /// # Errors
    ///
    /// [`Closed`] once the client is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it has sent nothing.
    pub async fn send_comment(&self, text: &str) -> Result<(), Closed> {
        let mut bytes = BytesMut::new();
        encode::comment(text, &mut bytes);
        self.send(&bytes).await
    }

    /// Ends the stream, once all that was sent has gone out.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether nothing that is sent arrives any more.
    pub fn is_closed(&self) -> bool {
        self.lock().is_over()
    }

    /// Ready once the client is gone, or the stream was closed. Cancel safe.
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

    /// Ready once this gives something.
    async fn until<T>(&self, mut attempt: impl FnMut(&mut State) -> Option<T>) -> T {
        if let Some(done) = attempt(&mut self.lock()) {
            return done;
        }
        let place = Place { context: self, key: self.lock().senders.insert() };
        poll_fn(|cx| {
            let mut state = self.lock();
            match attempt(&mut state) {
                Some(done) => Poll::Ready(done),
                None => {
                    let unneeded = state.senders.wait(place.key, cx.waker());
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

/// A context's place among those who wait, given up when its future is dropped.
struct Place<'a> {
    context: &'a StreamContext,
    key: usize,
}

impl Drop for Place<'_> {
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
