//! A log of topics over a store that is never quiet. A read of it ends: it does not run after the events that come meanwhile. In memory a read is
//! one look under the lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use sse_core::{Epoch, EventLog, NewEvent, Position, Start, StoreOptions, TopicSet, async_trait};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::topics::append;

/// The number of events in a page, and that of the events of others that come while a page of topics is read.
const PAGE: usize = 5;
const MEANWHILE: usize = 2 * PAGE;
/// The number of reads that are plenty for 200 events in pages of five.
const PLENTY: usize = 500;

/// A store in which more than a page of events comes whenever a page of topics is read.
struct Busy {
    store: ScriptedStore,
    reads: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Busy {
    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        assert!(self.reads.fetch_add(1, Relaxed) < PLENTY, "it runs after the log");
        let event = NewEvent::from("others").topic("another's").expect("a topic");
        self.store.add(&vec![event.encode(1000).expect("small"); MEANWHILE]);
        self.store.read_topics(after, filter, limit).await
    }

    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.store.append(events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.store.bounds().await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        self.store.read(after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.store.before_last(limit).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        self.store.follow(after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        self.store.retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.store.finish().await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.store.delete(event).await
    }

    async fn begin_epoch(&self, current: Epoch) -> Result<Epoch, StoreError> {
        self.store.begin_epoch(current).await
    }

    fn keeps_topics(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_events_and_a_read_of_topics_end_though_more_than_a_page_comes_meanwhile() {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    store.short_pages(PAGE);
    let reads = Arc::new(AtomicUsize::new(0));
    let busy = Busy { store, reads: Arc::clone(&reads) };
    let opened = EventLog::open(busy, StoreOptions::new().tail_events(3), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    let _following = tokio::spawn(follower);
    let first = append(&log, "0", &["mine"]).await;
    for number in 1..200 {
        let topic = if number % 50 == 0 { "mine" } else { "another's" };
        append(&log, &number.to_string(), &[topic]).await;
    }
    clock::pass(1000).await; // the follower has brought them
    let feed = log.topics(["mine"]).expect("kept").start_at(Start::Last(3));
    let mut client = Client::open(feed);
    assert_eq!(client.read_until(3).await, ["50", "100", "150"]);
    reads.store(0, Relaxed);
    let nobody = TopicSet::new(["nobody's"]).expect("a topic");
    let missed = log.read_after_in(&nobody, &first.parse().expect("an id"), 100).await;
    assert!(missed.expect("all is kept").is_empty());
}
