//! A source, its clients, and all that happens to them in any order. The store and its notifications are two things, as they are
//! in a database: an event is stored first and told of later, and a query takes its time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use fastrand::Rng;
use futures_util::stream;
use sse_core::{BoxError, EventId, Feed, Frame, Frames, Replay, Source, async_trait};

use crate::simulation::{Reader, for_each_seed};
use crate::support::script::event;

#[test]
fn each_client_of_a_source_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(20_000, |rng| Simulation::new(rng).run());
}

/// The database: events by number, and who listens.
#[derive(Clone)]
struct Database(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    newest: u64,
    /// The oldest event that is still there.
    oldest: u64,
    /// Stored, and not told of yet.
    untold: VecDeque<u64>,
    listeners: Vec<Arc<Mutex<Listener>>>,
    /// What the client has seen that subscribes next: older events are not told to it, as `Source` asks.
    seen: u64,
}

struct Listener {
    seen: u64,
    told: VecDeque<u64>,
    waker: Option<Waker>,
}

impl Database {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("not poisoned")
    }

    fn store(&self) {
        let mut state = self.lock();
        state.newest += 1;
        let newest = state.newest;
        state.untold.push_back(newest);
    }

    fn notify(&self) {
        let mut state = self.lock();
        let Some(number) = state.untold.pop_front() else { return };
        state.listeners.retain(|listener| Arc::strong_count(listener) > 1);
        for listener in &state.listeners {
            let mut listener = listener.lock().expect("not poisoned");
            if number >= listener.seen {
                listener.told.push_back(number);
                listener.waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }

    /// Takes its time: comes back to it some steps later.
    async fn dawdle(&self) {
        let mut steps = self.lock().rng.usize(..4);
        poll_fn(|cx| {
            if steps == 0 {
                return Poll::Ready(());
            }
            steps -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl Source for Database {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        let last: u64 = last_event_id.as_str().parse()?;
        self.dawdle().await;
        let (oldest, newest) = {
            let state = self.lock();
            (state.oldest, state.newest)
        };
        self.dawdle().await;
        if last + 1 < oldest {
            return Ok(Replay::Gap);
        }
        let rows = stream::unfold((self.clone(), last + 1), move |(database, number)| async move {
            database.dawdle().await;
            (number <= newest).then(|| (Ok(event(number).into()), (database, number + 1)))
        });
        Ok(Replay::Events(Box::pin(rows)))
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        let seen = self.lock().seen;
        self.dawdle().await;
        let listener = Listener { seen, told: VecDeque::new(), waker: None };
        let listener = Arc::new(Mutex::new(listener));
        self.lock().listeners.push(Arc::clone(&listener));
        self.dawdle().await;
        Ok(Box::pin(stream::poll_fn(move |cx| {
            let mut listener = listener.lock().expect("not poisoned");
            match listener.told.pop_front() {
                Some(number) => Poll::Ready(Some(Ok(Frame::from(event(number))))),
                None => {
                    listener.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })))
    }
}

struct Simulation {
    rng: Rng,
    database: Database,
    reader: Reader,
    /// The number of the event that is to come next; `None` where any that is newer may.
    next: Option<u64>,
    newest_seen: u64,
    buffered: usize,
    remembered: usize,
}

impl Simulation {
    fn new(mut rng: Rng) -> Self {
        let state = State {
            rng: rng.fork(),
            newest: 0,
            oldest: 1,
            untold: VecDeque::new(),
            listeners: Vec::new(),
            seen: 0,
        };
        let is_new = rng.u8(..4) == 0;
        let few = |rng: &mut Rng| if rng.bool() { rng.usize(..5) } else { 1000 };
        Self {
            database: Database(Arc::new(Mutex::new(state))),
            reader: Reader::new(if is_new { "" } else { "0" }),
            next: (!is_new).then_some(1),
            newest_seen: 0,
            buffered: few(&mut rng),
            remembered: few(&mut rng),
            rng,
        }
    }

    fn run(mut self) {
        let trims = self.rng.u8(..4) == 0;
        for _ in 0..self.rng.usize(10..150) {
            match self.rng.u8(..100) {
                0..15 => self.database.store(),
                15..30 => self.database.notify(),
                30 => (0..self.rng.usize(..8)).for_each(|_| self.database.store()),
                31 => (0..self.rng.usize(..8)).for_each(|_| self.database.notify()),
                32..35 => self.reader.cut(),
                35 if trims => {
                    let mut state = self.database.lock();
                    state.oldest = state.newest + 1 - state.newest.min(2);
                }
                _ => self.step(true),
            }
        }
        self.settle();
    }

    fn step(&mut self, cuts_within: bool) {
        if !self.reader.is_connected() {
            self.database.lock().seen = self.reader.last_event_id().parse().unwrap_or(0);
            let feed = Feed::from(self.database.clone());
            self.reader
                .connect(feed.buffered_events(self.buffered).remembered_ids(self.remembered));
            // Without an id it can resume from nothing.
            if self.reader.last_event_id().is_empty() {
                self.next = None;
            }
        }
        self.reader.read(&mut self.rng, cuts_within);
        for event in std::mem::take(&mut self.reader.arrived) {
            if event.event_type == "reset" {
                let oldest = self.database.lock().oldest;
                // Its reset has no id: a client that is cut off right after it is told again.
                assert!(self.next.is_none_or(|next| next < oldest), "there was no gap");
                self.next = None;
                continue;
            }
            let number: u64 = event.data.parse().expect("a number");
            assert!(self.next.is_none_or(|next| next == number), "{number}, not {:?}", self.next);
            // After a gap the event seen last may be told of once more: by its id it could be another.
            let oldest = self.newest_seen + u64::from(self.next.is_some());
            assert!(number >= oldest, "{number} after {}", self.newest_seen);
            (self.next, self.newest_seen) = (Some(number + 1), number);
        }
    }

    /// All is told of; the client, which stays connected but where its stream ends, gets all there is.
    fn settle(&mut self) {
        while !self.database.lock().untold.is_empty() {
            self.database.notify();
            self.step(false);
        }
        for _ in 0..3000 {
            self.step(false);
            if self.next == Some(self.database.lock().newest + 1) {
                return;
            }
        }
        assert_eq!(self.next, None, "newest {}", self.database.lock().newest);
    }
}
