use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use sse_core::{EventLog, EventStream, FeedOnce, StreamRequest, StreamResponse};

use super::clock;
use super::parser::{Parsed, Parser};

/// A client that reads what is there, and does not wait.
pub(crate) struct Poller {
    pub(crate) status: u16,
    body: EventStream,
    parser: Parser,
    seen: Vec<Parsed>,
    pub(crate) over: bool,
}

impl Poller {
    pub(crate) fn new(feed: impl Into<FeedOnce>, id: Option<&str>) -> Self {
        let headers = id.map(|id| ("Last-Event-ID", id.as_bytes()));
        let request = StreamRequest::new("GET", None, headers);
        let response = StreamResponse::new(&request, feed, clock::timer());
        Self {
            status: response.status,
            body: response.body,
            parser: Parser::default(),
            seen: vec![],
            over: false,
        }
    }

    /// One chunk, if there is one.
    pub(crate) fn chunk(&mut self) -> bool {
        self.chunk_with(Waker::noop())
    }

    /// The same, and this waker is woken if there is none.
    pub(crate) fn chunk_with(&mut self, waker: &Waker) -> bool {
        let mut cx = Context::from_waker(waker);
        match Pin::new(&mut self.body).poll_next(&mut cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.seen.extend(self.parser.feed(&chunk));
                true
            }
            Poll::Ready(Some(Err(cut))) => panic!("{cut}"),
            Poll::Ready(None) => {
                self.over = true;
                false
            }
            Poll::Pending => false,
        }
    }

    pub(crate) fn all(&mut self) -> Vec<String> {
        while self.chunk() {}
        self.data()
    }

    pub(crate) fn data(&self) -> Vec<String> {
        self.seen.iter().map(|event| event.data.clone()).collect()
    }

    pub(crate) fn id(&self) -> String {
        self.parser.last_event_id().to_owned()
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
