//! A client at the other end of a body, in the same process: it parses as the standard says, and remembers an id.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use sse_core::{EventStream, FeedOnce, StreamRequest, StreamResponse, Timer};
use tokio::time::{Instant, timeout};

use crate::parser::{Parsed, Parser};
use crate::rules;
use crate::waiting::PATIENCE;

/// The most time in which a client reads as far as a test asks it to.
const MINUTE: Duration = Duration::from_secs(60);

/// A client, and all that it has read. Its times are those of tokio's clock, which a test may have paused.
#[derive(Debug)]
pub struct Client {
    /// The rest of the body.
    pub body: EventStream,
    /// The standard's reader, with the body so far.
    pub parser: Parser,
    /// Every chunk so far.
    pub chunks: Vec<Bytes>,
    arrived: Vec<Parsed>,
    has_ended: bool,
}

/// Returns the clock of tokio.
pub fn timer() -> Timer {
    Timer::new(|| Instant::now().into_std(), tokio::time::sleep)
}

/// Returns the request of a client that is here for the first time.
pub fn request() -> StreamRequest {
    StreamRequest::new("GET", None, [])
}

/// Returns the request of a client that comes back with this id. An empty one counts as none.
pub fn request_after(id: impl AsRef<str>) -> StreamRequest {
    StreamRequest::new("GET", None, [("Last-Event-ID", id.as_ref().as_bytes())])
}

/// Returns the status with which a client is answered that comes back with this id.
pub fn status_after(feed: impl Into<FeedOnce>, id: impl AsRef<str>) -> u16 {
    StreamResponse::new(&request_after(id), feed, timer()).status
}

impl Client {
    /// A client of this body.
    pub fn new(body: EventStream) -> Self {
        let (parser, chunks, arrived) = (Parser::default(), Vec::new(), Vec::new());
        Self { body, parser, chunks, arrived, has_ended: false }
    }

    /// A client that is here for the first time.
    #[track_caller]
    pub fn open(feed: impl Into<FeedOnce>) -> Self {
        Self::with(&request(), feed)
    }

    /// A client that comes back with this id.
    #[track_caller]
    pub fn resume(feed: impl Into<FeedOnce>, id: impl AsRef<str>) -> Self {
        Self::with(&request_after(id), feed)
    }

    /// A client with this request.
    ///
    /// # Panics
    ///
    /// If the status of the response is not 200.
    #[track_caller]
    pub fn with(request: &StreamRequest, feed: impl Into<FeedOnce>) -> Self {
        let response = StreamResponse::new(request, feed, timer());
        assert_eq!(response.status, 200);
        Self::new(response.body)
    }

    /// Returns the next chunk, or nothing at the end.
    ///
    /// # Panics
    ///
    /// If neither comes within 5 s.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        let chunk = timeout(PATIENCE, poll_fn(|cx| self.poll_chunk(cx))).await;
        chunk.expect("a chunk, or the end, within 5 s")
    }

    /// Returns the next chunk or the end, if it is there already.
    pub async fn chunk_now(&mut self) -> Poll<Option<Bytes>> {
        poll_fn(|cx| Poll::Ready(self.poll_chunk(cx))).await
    }

    /// Polls for the next chunk, or nothing at the end.
    ///
    /// # Panics
    ///
    /// If the stream is broken off, or the chunk is not whole frames that keep to the rules.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.poll_part(cx, |length| length)
    }

    /// The same for a client that may be cut off: of the chunk it receives so many bytes.
    ///
    /// # Panics
    ///
    /// As [`poll_chunk`](Self::poll_chunk).
    pub fn poll_part(
        &mut self,
        cx: &mut Context<'_>,
        received: impl FnOnce(usize) -> usize,
    ) -> Poll<Option<Bytes>> {
        let polled = Pin::new(&mut self.body).poll_next(cx);
        polled.map(|chunk| {
            let Some(chunk) = chunk else {
                self.has_ended = true;
                return None;
            };
            let chunk = chunk.expect("it is not broken off");
            assert!(!chunk.is_empty(), "an empty chunk, which would end some bodies");
            rules::check_stream(&chunk).expect("whole frames that keep to the rules");
            let received = received(chunk.len());
            self.arrived.extend(self.parser.feed(&chunk[..received]));
            self.chunks.push(chunk.slice(..received));
            Some(chunk)
        })
    }

    /// Reads until nothing more comes for a millisecond, or the end. A paused clock moves on only when nothing else can happen.
    pub async fn read_all(&mut self) -> Vec<String> {
        let millisecond = Duration::from_millis(1);
        while let Ok(Some(_)) = timeout(millisecond, poll_fn(|cx| self.poll_chunk(cx))).await {}
        self.events()
    }

    /// Reads for this long, and sees no end.
    ///
    /// # Panics
    ///
    /// If the stream ends.
    pub async fn read_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(chunk) =
            tokio::time::timeout_at(until, poll_fn(|cx| self.poll_chunk(cx))).await
        {
            assert!(chunk.is_some(), "it ended after {:?}", self.parsed().last());
        }
    }

    /// Reads until this many events have arrived in all, and returns their data.
    ///
    /// # Panics
    ///
    /// If the stream ends first, if nothing comes for 5 s, or if a minute has passed.
    pub async fn read_until(&mut self, count: usize) -> Vec<String> {
        let end = Instant::now() + MINUTE;
        while self.arrived.len() < count {
            let chunk = self.chunk().await;
            assert!(chunk.is_some(), "it ended after {:?}", self.events());
            assert!(Instant::now() < end, "no more events than {:?}", self.events());
        }
        self.events()
    }

    /// The same, however long nothing comes, within this time in all.
    ///
    /// # Panics
    ///
    /// If the stream ends first, or the time has passed.
    pub async fn read_until_within(&mut self, count: usize, at_most: Duration) -> Vec<String> {
        let until = Instant::now() + at_most;
        while self.arrived.len() < count {
            let chunk = tokio::time::timeout_at(until, poll_fn(|cx| self.poll_chunk(cx))).await;
            let (few, last) = (self.arrived.len(), self.arrived.last());
            match chunk {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended after {few} events of {count}, the last {last:?}"),
                Err(_) => panic!("{few} events of {count} within {at_most:?}, the last {last:?}"),
            }
        }
        self.events()
    }

    /// Reads until the end, and returns the data of all events.
    ///
    /// # Panics
    ///
    /// If nothing comes for 5 s, if a minute has passed, or if the stream ends within a frame.
    pub async fn read_to_end(&mut self) -> Vec<String> {
        let end = Instant::now() + MINUTE;
        while self.chunk().await.is_some() {
            assert!(Instant::now() < end, "no end after {:?}", self.events());
        }
        assert!(!self.parser.is_mid_event(), "it ended within a frame");
        self.events()
    }

    /// Returns the data of every event so far.
    pub fn events(&self) -> Vec<String> {
        self.arrived.iter().map(|event| event.data.clone()).collect()
    }

    /// Returns every event so far.
    pub fn parsed(&self) -> &[Parsed] {
        &self.arrived
    }

    /// Takes the events that have arrived since they were last taken.
    pub fn take_parsed(&mut self) -> Vec<Parsed> {
        std::mem::take(&mut self.arrived)
    }

    /// Returns true if the stream has come to its end.
    pub fn is_over(&self) -> bool {
        self.has_ended
    }

    /// Returns all that has arrived, as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8(self.chunks.concat()).expect("UTF-8")
    }

    /// Returns the id with which the client would come back; an empty one is none.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Returns the reason in this event.
    ///
    /// # Panics
    ///
    /// If it is not a `reset`.
    #[track_caller]
    pub fn reset(&self, place: usize) -> String {
        let event = &self.arrived[place];
        assert_eq!(event.event_type, "reset", "{event:?}");
        let said: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
        said["reason"].as_str().expect("a reason").to_owned()
    }
}
