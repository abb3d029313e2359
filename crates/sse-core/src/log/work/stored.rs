//! The work under the lock of a log over a store: its pages are encoded, and what it drops is freed, while other threads can take the lock.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use futures_util::{StreamExt, stream};

use super::*;
use crate::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    StoredEvent, Topics,
};
use crate::{Epoch, Follower, Start, StoreOptions, StreamRequest, StreamResponse, async_trait};

/// A store that another process fills. Its positions are dense.
#[derive(Clone)]
struct Filled(Arc<Mutex<(Bounds, Vec<StoredEvent>)>>);

impl Filled {
    /// A store with the events of the positions from 1 to this number.
    fn with(count: usize) -> Self {
        let block = NewEvent::from("x").encode(100).expect("it is small").block;
        let at = |number: usize| Position::from(number as u64);
        let event = |number| StoredEvent {
            position: at(number),
            block: block.clone(),
            key: None,
            topics: Topics::default(),
        };
        let bounds = Bounds {
            epoch: Epoch::random().expect("a random number"),
            floor: Position::START,
            oldest: Some(at(1)),
            newest: at(count),
            is_finished: false,
            deletions: 0,
        };
        Self(Arc::new(Mutex::new((bounds, (1..=count).map(event).collect()))))
    }

    fn lock(&self) -> MutexGuard<'_, (Bounds, Vec<StoredEvent>)> {
        self.0.lock().expect("not poisoned")
    }

    fn page(&self, after: Position, count: usize) -> Page {
        let (bounds, events) = &*self.lock();
        let first = events.partition_point(|event| event.position <= after);
        Page { bounds: *bounds, events: events[first..].iter().take(count).cloned().collect() }
    }
}

#[async_trait]
impl Store for Filled {
    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(self.lock().0)
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        Ok(self.page(after, limit.events))
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        let (bounds, events) = &*self.lock();
        let before = events.iter().rev().nth(limit.events);
        Ok(before.map_or(bounds.floor, |event| event.position))
    }

    /// The pages look again whenever they are polled.
    async fn follow(&self, mut after: Position) -> Result<Pages, StoreError> {
        let (store, mut known) = (self.clone(), None);
        Ok(Pages::new(stream::poll_fn(move |_| {
            let page = store.page(after, 1000);
            if page.events.is_empty() && known == Some(page.bounds) {
                return Poll::Pending;
            }
            (after, known) =
                (page.events.last().map_or(after, |event| event.position), Some(page.bounds));
            Poll::Ready(Some(Ok(page)))
        })))
    }

    async fn retain(&self, _: &Retention) -> Result<Option<Duration>, StoreError> {
        Ok(None)
    }

    async fn append(&self, _: &[EncodedEvent]) -> Result<Appended, StoreError> {
        unreachable!("another process fills it")
    }

    async fn finish(&self) -> Result<(), StoreError> {
        unreachable!("nobody finishes it")
    }

    async fn delete(&self, _: Position) -> Result<(), StoreError> {
        unreachable!("another process deletes")
    }

    async fn begin_epoch(&self, _: Epoch) -> Result<Epoch, StoreError> {
        unreachable!("nothing is lost")
    }
}

/// A log that has this many of the newest events in memory, and its follower.
fn opened(store: &Filled, tail: usize) -> (EventLog, Follower) {
    let options = StoreOptions::new().tail_events(tail).tail_bytes(1 << 30);
    let opened = EventLog::open(store.clone(), options, clock().1).now_or_never();
    let (log, mut follower) = opened.expect("nothing waits").expect("the store is up");
    follow(&mut follower);
    (log, follower)
}

/// Polls the follower as often as it needs for a few calls.
fn follow(follower: &mut Follower) {
    for _ in 0..20 {
        let polled = Pin::new(&mut *follower).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "its log is in use");
    }
}

/// A change that another process, or the engine, makes in a store.
type Change = fn(&mut Bounds, &mut Vec<StoredEvent>);

#[test]
fn events_that_a_log_drops_because_of_its_store_are_freed_after_the_lock() {
    let changes: [(&str, Change); 3] = [
        ("another process deleted an event", |bounds, events| {
            events.remove(7);
            bounds.deletions += 1;
        }),
        ("another process began an epoch", |bounds, events| {
            events.clear();
            (bounds.epoch, bounds.oldest) = (Epoch::random().expect("a random number"), None);
            bounds.floor = bounds.newest;
        }),
        ("the store dropped all that it had, and what came meanwhile", |bounds, events| {
            events.clear();
            let newest = Position::from(bounds.newest.lo() + 10);
            (bounds.newest, bounds.floor, bounds.oldest) = (newest, newest, None);
        }),
    ];
    for (what, change) in changes {
        let store = Filled::with(MANY);
        let (log, mut follower) = opened(&store, MANY);
        assert_eq!(log.lock().tail.len(), MANY);
        let mut held = store.lock();
        let (bounds, events) = &mut *held;
        change(bounds, events);
        drop(held);
        let work = most(|| follow(&mut follower));
        assert_eq!(log.lock().tail.len(), 0, "{what}");
        assert!(work <= BOUND, "{what}: {work} under one lock");
    }
}

#[test]
fn pages_of_a_store_are_taken_over_a_few_thousand_events_at_a_time() {
    let work = most(|| drop(opened(&Filled::with(MANY), MANY)));
    assert!((1..=BOUND).contains(&work), "{work} under one lock");
}

#[test]
fn a_page_of_a_store_is_encoded_before_the_log_is_locked() {
    let store = Filled::with(MANY);
    let (log, mut follower) = opened(&store, 10);
    let feed = log.feed().start_at(Start::Oldest);
    let request = StreamRequest::new("GET", None, []);
    let mut body = StreamResponse::new(&request, feed, clock().1).body;
    let (mut read, mut work) = (0, 0);
    let count = encoded(|| {
        work = most(|| {
            let mut rounds = 0..1000;
            while read < MANY && rounds.next().is_some() {
                while let Some(chunk) = body.next().now_or_never() {
                    let chunk = chunk.expect("it goes on").expect("no cut");
                    read += memchr::memmem::find_iter(&chunk, "data: x\n").count();
                }
                follow(&mut follower);
            }
        });
    });
    assert_eq!(read, MANY);
    assert!(count >= MANY - 10, "{count} events were encoded for a client that is behind");
    assert!(work <= BOUND, "{work} under one lock");
}
