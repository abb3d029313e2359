//! Many random interleavings, each of them known by its seed.
//!
//! `SSE_SEEDS=1000000` tries more of them than usual, `SSE_SEED=7` the one that failed.

use std::future::poll_fn;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use fastrand::Rng;
use futures_core::Stream;
use sse_core::{EventStream, FeedOnce, StreamRequest, StreamResponse, Timer};

use crate::support::parser::{Parsed, Parser};
use crate::support::rules;
use crate::support::wakes::Wakes;

/// Runs this with each seed, and names the one with which it failed.
pub(crate) fn for_each_seed(usual: u64, run: impl Fn(Rng)) {
    for seed in seeds(usual) {
        let result = catch_unwind(AssertUnwindSafe(|| run(Rng::with_seed(seed))));
        if let Err(panic) = result {
            eprintln!("failed with seed {seed}: SSE_SEED={seed} runs it alone");
            resume_unwind(panic);
        }
    }
}

fn seeds(usual: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|value| value.parse().expect("a number"));
    match (number("SSE_SEED"), number("SSE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(usual),
    }
}

/// Takes this many polls.
pub(crate) async fn wait_some_polls(mut polls: usize) {
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(());
        }
        polls -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A client that reads only when it is woken, is cut off anywhere, and comes back with the last event ID it saw.
pub(crate) struct Reader {
    body: Option<EventStream>,
    wakes: Arc<Wakes>,
    is_woken: bool,
    parser: Parser,
    last_event_id: String,
    timer: Timer,
    /// The chunk that it read last, whole.
    pub(crate) chunk: Bytes,
    /// True if the stream came to its end by itself.
    pub(crate) has_ended: bool,
    /// The events that have arrived since these were last taken.
    pub(crate) arrived: Vec<Parsed>,
}

impl Reader {
    /// One that has an id from before, or an empty one.
    pub(crate) fn new(last_event_id: &str) -> Self {
        Self::at(Timer::new(Instant::now, |_| std::future::pending()), last_event_id)
    }

    /// The same, by this clock.
    pub(crate) fn at(timer: Timer, last_event_id: &str) -> Self {
        Self {
            body: None,
            wakes: Wakes::new(),
            is_woken: false,
            parser: Parser::default(),
            last_event_id: last_event_id.to_owned(),
            timer,
            chunk: Bytes::new(),
            has_ended: false,
            arrived: Vec::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.body.is_some()
    }

    /// Tells whether there may be something to read.
    pub(crate) fn is_woken(&mut self) -> bool {
        self.is_woken |= self.wakes.take() > 0;
        self.is_woken
    }

    /// Returns true if the stream had nothing more when it was polled last.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_connected() && !self.is_woken
    }

    /// Connects, unless the answer is 204.
    pub(crate) fn is_answered(&mut self, feed: impl Into<FeedOnce>) -> bool {
        let request = self.request();
        let response = StreamResponse::new(&request, feed, self.timer.clone());
        if response.status == 204 {
            return false;
        }
        assert_eq!(response.status, 200);
        (self.body, self.is_woken) = (Some(response.body), true);
        self.wakes = Wakes::new();
        self.parser = Parser::default();
        self.has_ended = false;
        true
    }

    /// The last event ID that would be sent when coming back.
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    pub(crate) fn cut(&mut self) {
        self.body = None;
    }

    /// Reads a chunk, if one is due. Returns true if anything was read. A cut may come within the chunk.
    pub(crate) fn read(&mut self, rng: &mut Rng, cuts_within: bool) -> bool {
        if !self.is_woken() {
            return false;
        }
        let Some(body) = &mut self.body else { return false };
        let waker = self.wakes.waker();
        match Pin::new(body).poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(Ok(chunk))) => {
                assert!(!chunk.is_empty());
                rules::check_stream(&chunk).expect("whole frames that keep to the rules");
                let is_cut = cuts_within && rng.u8(..) < 8;
                let taken = if is_cut { rng.usize(..chunk.len()) } else { chunk.len() };
                self.arrived.extend(self.parser.feed(&chunk[..taken]));
                self.chunk = chunk;
                if !self.parser.last_event_id().is_empty() {
                    self.parser.last_event_id().clone_into(&mut self.last_event_id);
                }
                if is_cut {
                    self.cut();
                }
            }
            Poll::Ready(Some(Err(cut))) => panic!("{cut}"),
            Poll::Ready(None) => {
                self.cut();
                self.has_ended = true;
            }
            Poll::Pending => self.is_woken = false,
        }
        true
    }

    fn request(&self) -> StreamRequest {
        // An empty value counts as none.
        let last_event_id = ("last-event-id", self.last_event_id.as_bytes());
        StreamRequest::new("GET", None, [last_event_id])
    }
}
