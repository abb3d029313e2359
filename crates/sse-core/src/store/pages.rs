use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::store::{Page, StoreError};

/// The pages of [`Store::follow`](crate::store::Store::follow), as events come.
///
/// ```
#[doc = include_str!("in_examples.txt")]
/// # use futures_util::StreamExt;
/// # use sse_core::{NewEvent, Position, store::{Pages, Store}};
/// # futures_util::future::FutureExt::now_or_never(async {
/// let store = VecStore::new();
/// let mut pages: Pages = store.follow(Position::START).await?;
/// store.append(&[NewEvent::from("hello").encode(1024)?]).await?;
/// let page = pages.next().await.unwrap()?;
/// assert_eq!(page.events[0].block, "data: hello\n");
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
pub struct Pages(Pin<Box<dyn Stream<Item = Result<Page, StoreError>> + Send>>);

impl Pages {
    /// Returns the pages of this stream.
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use sse_core::store::{Pages, StoreError};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let mut pages = Pages::new(stream::iter([Err(StoreError::failed("the connection was lost"))]));
    /// assert!(pages.next().await.unwrap().is_err());
    /// # }).unwrap();
    /// ```
    pub fn new(pages: impl Stream<Item = Result<Page, StoreError>> + Send + 'static) -> Self {
        Self(Box::pin(pages))
    }
}

impl Stream for Pages {
    type Item = Result<Page, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}
