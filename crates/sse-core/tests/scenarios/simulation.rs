//! Many random interleavings, each of them known by its seed.
//!
//! `SSE_SEEDS=1000000` tries more of them than usual, `SSE_SEED=7` the one that failed.

use std::future::poll_fn;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use fastrand::Rng;
use sse_core::{FeedOnce, StreamResponse, Timer};

use crate::support::client::{Client, request_after};
use crate::support::parser::Parsed;
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
    client: Option<Client>,
    wakes: Arc<Wakes>,
    is_woken: bool,
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
            client: None,
            wakes: Wakes::new(),
            is_woken: false,
            last_event_id: last_event_id.to_owned(),
            timer,
            chunk: Bytes::new(),
            has_ended: false,
            arrived: Vec::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.is_some()
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
        let request = request_after(&self.last_event_id);
        let response = StreamResponse::new(&request, feed, self.timer.clone());
        if response.status == 204 {
            return false;
        }
        assert_eq!(response.status, 200);
        (self.client, self.is_woken) = (Some(Client::new(response.body)), true);
        self.wakes = Wakes::new();
        self.has_ended = false;
        true
    }

    /// The last event ID that would be sent when coming back.
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    pub(crate) fn cut(&mut self) {
        self.client = None;
    }

    /// Reads a chunk, if one is due. Returns true if anything was read. A cut may come within the chunk.
    pub(crate) fn read(&mut self, rng: &mut Rng, cuts_within: bool) -> bool {
        if !self.is_woken() {
            return false;
        }
        let Some(client) = &mut self.client else { return false };
        let (waker, mut is_cut) = (self.wakes.waker(), false);
        let polled = client.poll_part(&mut Context::from_waker(&waker), |length| {
            is_cut = cuts_within && rng.u8(..) < 8;
            if is_cut { rng.usize(..length) } else { length }
        });
        match polled {
            Poll::Ready(Some(chunk)) => {
                self.chunk = chunk;
                self.arrived.extend(client.take_parsed());
                if !client.last_event_id().is_empty() {
                    client.last_event_id().clone_into(&mut self.last_event_id);
                }
                if is_cut {
                    self.cut();
                }
            }
            Poll::Ready(None) => {
                self.cut();
                self.has_ended = true;
            }
            Poll::Pending => self.is_woken = false,
        }
        true
    }
}
