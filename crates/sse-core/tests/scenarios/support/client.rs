use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use sse_core::{EventStream, FeedOnce, StreamRequest, StreamResponse};
use tokio::time::Instant;

use super::clock;
use super::parser::{Parsed, Parser};
use super::rules;

/// A client at the other end of a body: what it has read is parsed as the standard says.
pub(crate) struct Client {
    pub(crate) body: EventStream,
    pub(crate) parser: Parser,
    /// Every chunk so far.
    pub(crate) chunks: Vec<Bytes>,
    arrived: Vec<Parsed>,
    has_ended: bool,
}

/// A request of a client that is here for the first time.
pub(crate) fn request() -> StreamRequest {
    StreamRequest::new("GET", None, [])
}

/// A request of a client that comes back.
pub(crate) fn request_after(id: impl AsRef<str>) -> StreamRequest {
    let value = id.as_ref().as_bytes();
    StreamRequest::new("GET", None, [("Last-Event-ID", value)])
}

impl Client {
    pub(crate) fn new(body: EventStream) -> Self {
        Self {
            body,
            parser: Parser::default(),
            chunks: Vec::new(),
            arrived: Vec::new(),
            has_ended: false,
        }
    }

    /// One that is here for the first time.
    pub(crate) fn open(feed: impl Into<FeedOnce>) -> Self {
        Self::with(&request(), feed)
    }

    /// One that comes back with this id.
    pub(crate) fn resume(feed: impl Into<FeedOnce>, id: impl AsRef<str>) -> Self {
        Self::with(&request_after(id), feed)
    }

    #[track_caller]
    pub(crate) fn with(request: &StreamRequest, feed: impl Into<FeedOnce>) -> Self {
        let response = StreamResponse::new(request, feed, clock::timer());
        assert_eq!(response.status, 200);
        Self::new(response.body)
    }

    /// The next chunk, or the end. It comes within 5 s of the paused clock.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        let chunk = tokio::time::timeout(Duration::from_secs(5), self.body.next());
        let chunk = chunk.await.expect("a chunk, or the end, within 5 s");
        chunk.map(|chunk| self.take(chunk.expect("it is not broken off"))).or_else(|| {
            self.has_ended = true;
            None
        })
    }

    /// The next chunk or the end, if it is there already.
    pub(crate) async fn chunk_now(&mut self) -> Poll<Option<Bytes>> {
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut self.body).poll_next(cx))).await;
        polled.map(|chunk| chunk.map(|chunk| self.take(chunk.expect("it is not broken off"))))
    }

    /// Reads until nothing more comes, or the end: the paused clock moves on only when nothing else can happen.
    pub(crate) async fn read_all(&mut self) -> Vec<String> {
        while let Ok(chunk) = tokio::time::timeout(Duration::from_millis(1), self.body.next()).await
        {
            match chunk {
                Some(chunk) => drop(self.take(chunk.expect("it is not broken off"))),
                None => {
                    self.has_ended = true;
                    break;
                }
            }
        }
        self.events()
    }

    /// Reads until this many events have arrived in all, for a minute of the paused clock.
    pub(crate) async fn read_until(&mut self, count: usize) -> Vec<String> {
        let minute = Instant::now() + Duration::from_secs(60);
        while self.arrived.len() < count {
            let chunk = self.chunk().await;
            assert!(chunk.is_some(), "it ended after {:?}", self.events());
            assert!(Instant::now() < minute, "no more events than {:?}", self.events());
        }
        self.events()
    }

    /// Reads until the end, for a minute of the paused clock.
    pub(crate) async fn read_to_end(&mut self) -> Vec<String> {
        let minute = Instant::now() + Duration::from_secs(60);
        while self.chunk().await.is_some() {
            assert!(Instant::now() < minute, "no end after {:?}", self.events());
        }
        assert!(!self.parser.is_mid_event(), "it ended within a frame");
        self.events()
    }

    /// The data of every event so far.
    pub(crate) fn events(&self) -> Vec<String> {
        self.arrived.iter().map(|event| event.data.clone()).collect()
    }

    pub(crate) fn parsed(&self) -> &[Parsed] {
        &self.arrived
    }

    pub(crate) fn is_over(&self) -> bool {
        self.has_ended
    }

    /// All that was sent.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.chunks.concat()).expect("UTF-8")
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Every chunk is whole frames that keep to the rules, and never empty.
    #[track_caller]
    fn take(&mut self, chunk: Bytes) -> Bytes {
        assert!(!chunk.is_empty(), "an empty chunk, which would end some bodies");
        rules::check_stream(&chunk).expect("what goes out keeps to the rules");
        self.arrived.extend(self.parser.feed(&chunk));
        self.chunks.push(chunk.clone());
        chunk
    }
}
