//! The source as one request has it, and what it knows of that request.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use futures_util::stream;
use sse_core::{BoxError, EventId, Frame, Frames, OnGap, Replay, Snapshot, Source, async_trait};

use super::database::{Database, Fate, Listener};

/// One request. Clones share what is known of it.
#[derive(Clone)]
pub(super) struct Connection {
    database: Database,
    seen: u64,
    /// An id that no event had when its client came with it, though one may have it by now.
    ahead: Option<u64>,
    known: Arc<Mutex<Known>>,
}

/// The facts that a check needs.
#[derive(Default)]
pub(super) struct Known {
    /// The first event of which the subscription is told.
    pub(super) first: Option<u64>,
    /// The number of gaps that the source has reported.
    pub(super) gaps: usize,
    /// The source has failed, or has ended what it streamed.
    pub(super) has_failed: bool,
    /// The number of errors that it has returned.
    pub(super) errors: usize,
    /// The number of errors that have been reported.
    pub(super) reports: usize,
    /// The number of times that the client had to wait for the source.
    pub(super) waits: usize,
}

impl Connection {
    pub(super) fn new(database: &Database, last_event_id: &str) -> Self {
        let newest = database.lock().newest;
        let (seen, ahead) = match last_event_id.parse() {
            Ok(ahead) if ahead > newest => (0, Some(ahead)),
            Ok(seen) => (seen, None),
            Err(_) => (0, None),
        };
        Self { database: database.clone(), seen, ahead, known: Arc::default() }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("not poisoned")
    }

    /// Gives the state as of an event that was told of: a client that has it is told of none that are older.
    pub(super) fn snapshots(&self) -> OnGap {
        let this = self.clone();
        OnGap::snapshot(move |_| {
            let this = this.clone();
            async move { this.snapshot().await }
        })
    }

    async fn snapshot(&self) -> Result<Snapshot, BoxError> {
        self.query().await?;
        let (at, parts) = {
            let mut state = self.database.lock();
            let (oldest, newest) = (state.oldest - 1, state.next_told() - 1);
            let most = if state.large > 0 { 100 } else { 4 };
            (state.rng.u64(oldest.max(newest.saturating_sub(3))..=newest), state.rng.usize(..most))
        };
        self.query().await?;
        Ok(self.database.snapshot(at, parts))
    }

    /// Takes its time, in which others go on, or fails.
    async fn query(&self) -> Result<(), BoxError> {
        self.database.interfere();
        self.dawdle().await;
        self.database.interfere();
        if self.database.lock().fails() { Err(self.failure()) } else { Ok(()) }
    }

    async fn dawdle(&self) {
        let mut steps = {
            let mut state = self.database.lock();
            let slowness = state.slowness;
            state.rng.usize(..slowness)
        };
        poll_fn(|cx| {
            if steps == 0 {
                return Poll::Ready(());
            }
            steps -= 1;
            self.known().waits += 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn failure(&self) -> BoxError {
        let mut known = self.known();
        known.has_failed = true;
        known.errors += 1;
        "the database is away".into()
    }

    fn frame(&self, number: u64) -> Frame {
        self.database.event(number).into()
    }
}

#[async_trait]
impl Source for Connection {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        self.query().await?;
        let (oldest, newest) = {
            let state = self.database.lock();
            (state.oldest, state.newest)
        };
        self.query().await?;
        let is_known =
            |last: &u64| (oldest - 1..=newest).contains(last) && Some(*last) != self.ahead;
        let last = last_event_id.as_str().parse().ok().filter(is_known);
        let Some(last) = last else {
            self.known().gaps += 1;
            return Ok(Replay::Gap);
        };
        let rows = stream::unfold((self.clone(), last + 1), move |(this, number)| async move {
            if number > newest {
                this.dawdle().await;
                return None;
            }
            let row = this.query().await.map(|()| this.frame(number));
            Some((row, (this, number + 1)))
        });
        Ok(Frames::new(rows).into())
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        self.query().await?;
        let (told, waker) = (VecDeque::new(), None);
        let listener = Listener { seen: self.seen, told, fate: None, waker };
        let listener = Arc::new(Mutex::new(listener));
        {
            let mut state = self.database.lock();
            state.listeners.push(Arc::clone(&listener));
            self.known().first = Some(state.next_told().max(self.seen));
        }
        self.query().await?;
        let this = self.clone();
        Ok(Frames::new(stream::poll_fn(move |cx| {
            let mut listener = listener.lock().expect("not poisoned");
            if let Some(number) = listener.told.pop_front() {
                return Poll::Ready(Some(Ok(this.frame(number))));
            }
            match listener.fate {
                Some(Fate::FailsOnce) => listener.fate = Some(Fate::Ends),
                Some(Fate::FailsAtEachCall) => {}
                Some(Fate::Ends) => {
                    this.known().has_failed = true;
                    return Poll::Ready(None);
                }
                None => {
                    listener.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
            Poll::Ready(Some(Err(this.failure())))
        })))
    }
}
