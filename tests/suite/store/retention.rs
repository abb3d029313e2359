//! The oldest events go, and a reader that had not seen them can tell.

use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{Bounds, PageLimit, Store};
use sse_core::{Position, StoreOptions};
use tokio::sync::watch;

use super::tools::{
    Followed, PAGE, Placed, all_after, append, append_all, bounds, event, open_with, soon,
};
use crate::suite::store_engine::Engine;
use sse_test_kit::eventually::eventually_some;
use sse_test_kit::waiting::PATIENCE;

/// Lets go until this holds, as every process does from time to time.
async fn retained(
    store: &dyn Store,
    options: StoreOptions,
    what: &str,
    holds: impl Fn(&[Placed]) -> bool,
) -> Vec<Placed> {
    eventually_some(PATIENCE, what, async || {
        store.retain(&options.retention()).await.expect("retained");
        let kept = all_after(store, Position::START).await;
        holds(&kept).then_some(kept)
    })
    .await
}

/// Checks that the kept events are the last of the appended, and that the bounds say so.
fn check(bounds: &Bounds, appended: &[Position], kept: &[Placed]) {
    let positions: Vec<_> = kept.iter().map(|(position, _)| *position).collect();
    let gone = appended.len() - positions.len();
    assert_eq!(positions, appended[gone..], "the newest are kept");
    assert_eq!((bounds.oldest, bounds.newest), (Some(positions[0]), appended[appended.len() - 1]));
    assert!(bounds.floor < positions[0], "it is below every event that is kept");
    if gone > 0 {
        assert!(bounds.floor >= appended[gone - 1], "a reader before that has lost something");
    }
}

pub async fn retains_so_many_events(engine: &dyn Engine) {
    let options = StoreOptions::new().events(10);
    let store = open_with(engine, options.clone()).await;
    let events: Vec<_> = (0..100).map(event).collect();
    let positions = append_all(&*store, &events).await;
    let kept =
        retained(&*store, options.clone(), "there are 10 events", |kept| kept.len() <= 10).await;
    assert_eq!(kept.len(), 10, "and no fewer");
    check(&bounds(&*store).await, &positions, &kept);
    store.retain(&options.retention()).await.expect("nothing to do");
    assert_eq!(all_after(&*store, Position::START).await, kept);
}

pub async fn retains_so_many_bytes(engine: &dyn Engine) {
    let options = StoreOptions::new().bytes(10_000);
    let store = open_with(engine, options.clone()).await;
    let mut positions = Vec::new();
    for n in 0..50 {
        positions.push(append(&*store, format_args!("{n:0>1000}")).await);
    }
    let few = |kept: &[Placed]| kept.iter().map(|(_, text)| text.len()).sum::<usize>() <= 10_000;
    let kept = retained(&*store, options.clone(), "there are 10 000 bytes", few).await;
    assert!(kept.len() >= 5, "and not many fewer: {}", kept.len());
    check(&bounds(&*store).await, &positions, &kept);

    positions.push(append(&*store, "x".repeat(50_000)).await);
    let kept = retained(&*store, options, "the newest is alone", |kept| kept.len() == 1).await;
    check(&bounds(&*store).await, &positions, &kept);
}

pub async fn retains_for_so_long_and_keeps_the_newest(engine: &dyn Engine) {
    let age = Duration::from_millis(500);
    let options = StoreOptions::new().age(age);
    let store = open_with(engine, options.clone()).await;
    let positions = append_all(&*store, &[event("one"), event("two"), event("three")]).await;
    let kept = retained(&*store, options.clone(), "the old are gone", |kept| kept.len() <= 1).await;
    check(&bounds(&*store).await, &positions, &kept);
    tokio::time::sleep(2 * age).await;
    store.retain(&options.retention()).await.expect("nothing to do");
    assert_eq!(all_after(&*store, Position::START).await, kept, "the newest is kept, however old");
}

/// So that the log need not ask before.
pub async fn tells_when_its_oldest_event_becomes_too_old(engine: &dyn Engine) {
    let age = Duration::from_secs(600);
    let options = StoreOptions::new().age(age);
    let store = open_with(engine, options.clone()).await;
    let retain = async |options: &StoreOptions| {
        store.retain(&options.retention()).await.expect("nothing to do")
    };
    assert_eq!(retain(&options).await, None, "it has no event");
    append(&*store, "one").await;
    assert_eq!(retain(&options).await, None, "the newest is kept, however old");
    append(&*store, "two").await;
    assert_eq!(retain(&StoreOptions::new()).await, None, "there is no age");
    let left = retain(&options).await.expect("the first will be too old");
    // A store may take an event for a little younger than it is.
    assert!(left > age - PATIENCE && left < age + age / 60, "{left:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let later = retain(&options).await.expect("the first will be too old");
    assert!(later < left && later + Duration::from_secs(1) + PATIENCE > left, "{later:?}");
}

/// Another process drops events between two pages of a reader, which sees from the bounds that it has missed some.
pub async fn skips_nothing_unseen_when_it_is_trimmed_between_pages(engine: &dyn Engine) {
    let options = StoreOptions::new().events(50);
    let (store, other) =
        (open_with(engine, options.clone()).await, open_with(engine, options.clone()).await);
    let mut positions = append_all(&*store, &(0..50).map(event).collect::<Vec<_>>()).await;
    let limit = PageLimit { events: 20, ..PAGE };
    let first = soon("a page is there", store.read(Position::START, limit)).await.expect("a page");
    let last = first.events.last().expect("some events").position;
    assert!(first.bounds.floor < positions[0]);

    positions.extend(append_all(&*other, &(50..95).map(event).collect::<Vec<_>>()).await);
    retained(&*other, options, "there are 50 events", |kept| kept.len() <= 50).await;
    let next = soon("a page is there", store.read(last, limit)).await.expect("a page");
    assert!(next.bounds.floor > last, "those between are gone, and the floor tells");
    let still = soon("a page is there", store.read(positions[89], limit)).await.expect("a page");
    assert!(still.bounds.floor <= positions[89], "nothing is gone that comes after this");
    assert_eq!(still.events.len(), 5);
}

/// While one process writes and another drops, a follower gets every event, or a floor above its position.
pub async fn skips_nothing_unseen_when_it_is_trimmed_while_followed(engine: &dyn Engine) {
    let options = StoreOptions::new().events(10);
    let (store, other) =
        (open_with(engine, options.clone()).await, open_with(engine, options.clone()).await);
    let mut followed = Followed::new(Arc::clone(&other), bounds(&*store).await.newest);
    let (round, mut rounds) = watch::channel(0);
    let follower = tokio::spawn(async move {
        let (mut expected, mut skipped, mut pages) = (0, 0, 0);
        while expected < 500 {
            let (before, seen) = (followed.after, followed.events.len());
            followed.next().await;
            let floor = followed.bounds.expect("it was told").floor;
            for (_, text) in &followed.events[seen..] {
                let number: usize = text.parse().expect("a number");
                let is_next = number == expected || (number > expected && floor > before);
                assert!(is_next, "{number} after {expected}, and the floor is {floor}");
                skipped += number - expected;
                expected = number + 1;
            }
            // A follower that keeps up loses nothing, and NATS sends ahead: this one is two limits behind, and leaves after every other page.
            pages += 1;
            if pages % 2 == 1 {
                followed.leave();
            }
            let behind = *rounds.borrow() + 3;
            let reached = rounds.wait_for(|round| *round >= behind.min(50)).await;
            drop(reached.expect("the rounds go on"));
        }
        skipped
    });
    for number in 0..50 {
        let batch: Vec<_> = (number * 10..number * 10 + 10).map(event).collect();
        append_all(&*store, &batch).await;
        other.retain(&options.retention()).await.expect("retained");
        round.send_replace(number + 1);
    }
    let skipped = soon("the last event comes", follower).await.expect("it followed");
    assert!(skipped > 0, "it was never overtaken by a trim");
}
