//! A client of a log, at the other end of a body.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sse_core::{EventStream, FeedOnce, StreamRequest, StreamResponse};

use super::process::timer;
use super::tools::soon;
use crate::suite::parser::{Parsed, Parser};
use crate::suite::rules;
use crate::suite::waiting::PATIENCE;

pub(super) struct Client {
    body: EventStream,
    pub(super) parser: Parser,
    /// All that has arrived.
    pub(super) events: Vec<Parsed>,
}

impl Client {
    /// One that is here for the first time.
    pub(super) fn new(feed: impl Into<FeedOnce>) -> Self {
        Self::with(&StreamRequest::new("GET", None, []), feed)
    }

    /// One that comes back with this id.
    pub(super) fn resume(feed: impl Into<FeedOnce>, id: impl AsRef<str>) -> Self {
        Self::with(&request_after(id), feed)
    }

    fn with(request: &StreamRequest, feed: impl Into<FeedOnce>) -> Self {
        let response = StreamResponse::new(request, feed, timer());
        assert_eq!(response.status, 200);
        Self { body: response.body, parser: Parser::default(), events: Vec::new() }
    }

    /// Takes the next chunk; none where the stream has ended.
    async fn chunk(&mut self) -> Option<()> {
        let chunk = self.body.next().await?.expect("it is not broken off");
        rules::check_stream(&chunk).expect("whole frames that keep to the rules");
        self.events.extend(self.parser.feed(&chunk));
        Some(())
    }

    /// Waits until this many events have arrived in all, and gives their texts.
    pub(super) async fn until(&mut self, count: usize) -> Vec<String> {
        self.until_within(count, PATIENCE).await
    }

    /// The same, for longer, or not as long.
    pub(super) async fn until_within(&mut self, count: usize, at_most: Duration) -> Vec<String> {
        let enough = async {
            while self.events.len() < count {
                self.chunk().await.expect("it goes on");
            }
        };
        if tokio::time::timeout(at_most, enough).await.is_err() {
            let (few, last) = (self.events.len(), self.events.last());
            panic!("{few} events of {count} within {at_most:?}, the last of them {last:?}");
        }
        self.texts()
    }

    /// Reads for this long, and sees no end.
    pub(super) async fn read_for(&mut self, time: Duration) {
        let begun = Instant::now();
        while let Some(left) = time.checked_sub(begun.elapsed()) {
            match tokio::time::timeout(left, self.chunk()).await {
                Ok(chunk) => chunk.expect("it goes on"),
                Err(_) => return,
            }
        }
    }

    pub(super) async fn until_end(&mut self) -> Vec<String> {
        soon("the stream ends", async { while self.chunk().await.is_some() {} }).await;
        assert!(!self.parser.is_mid_event(), "it ends after whole frames");
        self.texts()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.events.iter().map(|event| event.data.clone()).collect()
    }

    /// Returns the reason, if this was a gap.
    #[track_caller]
    pub(super) fn reset(&self, place: usize) -> String {
        let event = &self.events[place];
        assert_eq!(event.event_type, "reset", "{event:?}");
        let said: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
        said["reason"].as_str().expect("a reason").to_owned()
    }
}

/// The status that a client is answered that comes back with this id.
pub(super) fn status_after(feed: impl Into<FeedOnce>, id: impl AsRef<str>) -> u16 {
    StreamResponse::new(&request_after(id), feed, timer()).status
}

fn request_after(id: impl AsRef<str>) -> StreamRequest {
    let value = id.as_ref().as_bytes();
    StreamRequest::new("GET", None, [("Last-Event-ID", value)])
}

/// The texts of these numbers.
pub(super) fn numbers(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}
