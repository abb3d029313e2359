//! The storm over a store, with clients that leave the tail far behind.

use sse_conformance::suite::framework::Framework;
use sse_core::{Event, EventLog, StoreOptions, Timer};
use sse_test_kit::scripted_store::{Call, Positions, ScriptedStore};

use crate::publisher::text;
use crate::storm::{Speeds, storm};

pub(crate) async fn gets_every_event_of_a_store_once_and_in_order_at_very_different_speeds(
    framework: &Framework,
) {
    let store = ScriptedStore::new(Positions::Sparse);
    store.short_pages(100);
    // A client that is slow, or was cut off for a moment, has left so small a tail.
    let options = StoreOptions::new().tail_events(50);
    let timer = Timer::new(std::time::Instant::now, tokio::time::sleep);
    let opened = EventLog::open(store.clone(), options, timer).await;
    let (log, follower) = opened.expect("the store is up");
    let following = tokio::spawn(follower);
    let (read, start) = (log.clone(), log.stats().newest);
    let feed = move || read.feed();
    storm(framework, feed, start.as_str(), Speeds::Uneven, async move |number| {
        let appended = log.append(Event::new(text(number))).await;
        appended.expect("a small event");
    })
    .await;
    let reads = store.calls(Call::Read);
    println!("{}: {reads} pages of the store", framework.name);
    assert!(reads > 100, "only {reads} pages were read from the store");
    following.abort();
}
