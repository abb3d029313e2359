use std::task::{Context, Poll, Waker};

use sse_core::{EventLog, FeedOnce, StreamResponse};

use super::client::{Client, request_after, timer};

/// A client that reads what is there, and does not wait.
pub(crate) struct Poller {
    pub(crate) status: u16,
    client: Client,
}

impl Poller {
    pub(crate) fn new(feed: impl Into<FeedOnce>, id: Option<&str>) -> Self {
        let request = request_after(id.unwrap_or_default());
        let response = StreamResponse::new(&request, feed, timer());
        Self { status: response.status, client: Client::new(response.body) }
    }

    /// One chunk, if there is one.
    pub(crate) fn chunk(&mut self) -> bool {
        self.chunk_with(Waker::noop())
    }

    /// The same, and this waker is woken if there is none.
    pub(crate) fn chunk_with(&mut self, waker: &Waker) -> bool {
        let polled = self.client.poll_chunk(&mut Context::from_waker(waker));
        matches!(polled, Poll::Ready(Some(_)))
    }

    pub(crate) fn all(&mut self) -> Vec<String> {
        while self.chunk() {}
        self.data()
    }

    pub(crate) fn data(&self) -> Vec<String> {
        self.client.events()
    }

    pub(crate) fn id(&self) -> String {
        self.client.last_event_id().to_owned()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.client.is_over()
    }
}

pub(crate) async fn append(log: &EventLog, text: &str) -> String {
    log.append(text).await.expect("stored").as_str().to_owned()
}

pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Others that are ready run before this goes on, once each (tokio's own lets them run for longer).
pub(crate) async fn one_step() {
    let mut done = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut done, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
