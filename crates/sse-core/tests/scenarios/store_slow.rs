//! A store at the end of a slow line, and one that says nothing: the first gets on, the second is noticed.

use std::time::Duration;

use futures_util::StreamExt;
use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Epoch, EventLog, Position, Start, StoreOptions, async_trait};
use tokio::sync::watch;

use crate::support::client::Client;
use crate::support::clock::{self, pass};
use crate::support::poller::append;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

/// A line on which each event takes so long: when it is read, and when it is followed.
#[derive(Clone)]
struct SlowLine(ScriptedStore, watch::Receiver<(Duration, Duration)>);

impl SlowLine {
    fn of_one_speed(store: ScriptedStore, each: Duration) -> Self {
        Self(store, watch::channel((each, each)).1)
    }

    async fn bring(page: &Page, each: Duration) {
        tokio::time::sleep(each * page.events.len() as u32).await;
    }
}

#[async_trait]
impl Store for SlowLine {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.0.append(events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.0.bounds().await
    }

    async fn read(&self, after: Position, _: PageLimit) -> Result<Page, StoreError> {
        let page = self.0.read(after, PageLimit::of_events(1)).await?;
        let each = self.1.borrow().0;
        Self::bring(&page, each).await;
        Ok(page)
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.0.before_last(limit).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        let (pages, line) = (self.0.follow(after).await?, self.clone());
        Ok(Pages::new(pages.then(move |page| {
            let line = line.clone();
            async move {
                if let Ok(page) = &page {
                    let each = line.1.borrow().1;
                    Self::bring(page, each).await;
                }
                page
            }
        })))
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        self.0.retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.0.finish().await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.0.delete(event).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        self.0.begin_epoch(instead_of).await
    }
}

fn store() -> ScriptedStore {
    ScriptedStore::on(clock::timer(), Positions::Dense)
}

/// Each event takes 50 s, as one of 1 MB does at 20 kB/s: longer than a call may take, and than a follower may be silent.
#[tokio::test(start_paused = true)]
async fn followers_and_readers_at_the_end_of_a_slow_line_get_on() {
    let store = store();
    store.short_pages(1);
    let line = SlowLine::of_one_speed(store.clone(), Duration::from_secs(50));
    let options = StoreOptions::new().tail_events(2);
    let (log, follower) =
        EventLog::open(line, options, clock::timer()).await.expect("there is nothing to read");
    tokio::spawn(follower);
    let mut live = Client::open(&log);
    live.read_all().await;
    for n in 1..=6 {
        append(&log, &n.to_string()).await;
    }
    for _ in 0..20 {
        pass(60_000).await;
        live.read_all().await;
    }
    assert_eq!(live.events(), numbers(1..=6), "live");
    let mut behind = Client::open(log.feed().start_at(Start::Oldest));
    behind.read_all().await;
    for _ in 0..6 {
        pass(5 * 60_000).await;
        behind.read_all().await;
    }
    assert_eq!(behind.events(), numbers(1..=6), "behind");
}

/// To begin takes 12 s, and each event 9 s. The follower looks every second whether all is there; if it waited no longer than that for
/// the last event, and then 2 s, 4 s and 8 s, it would take longer than a minute.
#[tokio::test(start_paused = true)]
async fn a_follower_is_given_longer_for_an_event_than_it_took_to_begin() {
    let store = store();
    store.short_pages(1);
    let (speed, line) = watch::channel((Duration::ZERO, Duration::ZERO));
    let options = StoreOptions::new().store_check(Duration::from_secs(1));
    let line = SlowLine(store.clone(), line);
    let opened = EventLog::open(line, options, clock::timer()).await;
    let (log, follower) = opened.expect("there is nothing to read");
    tokio::spawn(follower);
    append(&log, "1").await;
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_until(1).await;
    speed.send_replace((Duration::from_secs(6), Duration::from_secs(9)));
    append(&log, "2").await;
    append(&log, "3").await;
    pass(45_000).await;
    assert_eq!(client.read_all().await, numbers(1..=3));
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_the_engine_tells_nothing_is_begun_again_within_a_minute() {
    let store = store();
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    append(&log, "1").await;
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    assert_eq!(client.read_until(1).await, numbers([1]));
    for n in 2..=4 {
        let before = store.calls(Call::Follow);
        store.fault(Call::Pages, Fault::Stalls);
        append(&log, &n.to_string()).await;
        pass(60_000).await;
        assert_eq!(store.calls(Call::Follow) - before, 1, "in time, and without haste");
        store.mend(Call::Pages);
        pass(10).await;
        assert_eq!(client.read_all().await, numbers(1..=n));
    }
}

/// Others append what is gone when the follower comes to it, or is no event: it is not behind, though the newest has moved.
#[tokio::test(start_paused = true)]
async fn a_follower_that_has_nothing_to_bring_is_not_begun_again() {
    let store = store();
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    append(&log, "1").await;
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_until(1).await;
    for _ in 0..100 {
        store.fault(Call::Pages, Fault::Stalls);
        append(&log, "deleted").await;
        store.remove(store.now().newest);
        store.mend(Call::Pages);
        pass(1000).await;
        let newest = store.now().newest.id(store.now().epoch);
        assert_eq!(log.stats().newest, newest, "it has come to where nothing is");
    }
    assert_eq!(store.calls(Call::Follow), 1);
    log.finish().await.expect("finished");
    assert_eq!(client.read_to_end().await, numbers([1]));
}
