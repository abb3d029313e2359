//! One order for all writers and all readers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::join_all;
use sse_core::Position;
use sse_core::store::{PageLimit, Store};

use super::tools::{
    Followed, PAGE, Placed, all_after, all_by, append, append_all, bounds, event, open, texts,
};
use crate::suite::store_engine::Engine;

const WRITERS: usize = 16;
const EACH: usize = 40;

/// 16 write at the same time through four handles; `read`, `follow`, and a reader that asks all the while give the same.
pub async fn gives_events_in_order_to_every_reader(engine: &dyn Engine) {
    let handles = join_all((0..4).map(|_| open(engine))).await;
    let after = bounds(&*handles[0]).await.newest;
    let followers = handles.iter().map(|store| {
        let mut followed = Followed::new(Arc::clone(store), after);
        tokio::spawn(async move { followed.until(WRITERS * EACH).await.to_vec() })
    });
    let followers: Vec<_> = followers.collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(keep_reading(Arc::clone(&handles[1]), after, Arc::clone(&is_over)));

    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&handles[writer % handles.len()]);
        tokio::spawn(async move {
            let mut placed = Vec::new();
            for number in 0..EACH {
                let text = format!("{writer} {number}");
                placed.push((append(&*store, &text).await, text));
            }
            placed
        })
    });
    let mut written: Vec<Placed> = Vec::new();
    for writer in join_all(writers).await {
        let placed = writer.expect("it wrote");
        assert!(placed.is_sorted(), "what one writes one after another is in this order");
        written.extend(placed);
    }
    written.sort();
    is_over.store(true, Relaxed);

    let small = PageLimit { events: 7, ..PAGE };
    assert_eq!(all_by(&*handles[0], after, small).await, written, "read");
    assert_eq!(all_after(&*handles[3], after).await, written, "read from another handle");
    assert_eq!(asking.await.expect("it read"), written, "read while it was written");
    for follower in followers {
        assert_eq!(follower.await.expect("it followed"), written, "followed");
    }
}

/// Reads page after page, whatever there is, until a last time when all is written.
async fn keep_reading(
    store: Arc<dyn Store>,
    mut after: Position,
    is_over: Arc<AtomicBool>,
) -> Vec<Placed> {
    let mut all = Vec::new();
    loop {
        let was_over = is_over.load(Relaxed);
        let more = all_after(&*store, after).await;
        after = more.last().map_or(after, |(position, _)| *position);
        all.extend(more);
        if was_over {
            return all;
        }
        tokio::task::yield_now().await;
    }
}

/// Batches of several writers never mix, and each is there whole.
pub async fn stores_a_batch_one_right_after_the_other(engine: &dyn Engine) {
    let handles = join_all((0..4).map(|_| open(engine))).await;
    let after = bounds(&*handles[0]).await.newest;
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&handles[writer % handles.len()]);
        async move {
            for batch in 0..5 {
                let events: Vec<_> =
                    (0..10).map(|n| event(format_args!("{writer} {batch} {n}"))).collect();
                let positions = append_all(&*store, &events).await;
                assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
            }
        }
    });
    join_all(writers).await;
    let all = all_after(&*handles[0], after).await;
    assert_eq!(all.len(), 8 * 5 * 10);
    for batch in texts(&all).chunks(10) {
        let (of, _) = batch[0].rsplit_once(' ').expect("a number");
        let expected: Vec<_> = (0..10).map(|n| format!("{of} {n}")).collect();
        assert_eq!(batch, expected, "a batch is whole, and alone");
    }
}

/// Also once the newest events are gone.
pub async fn gives_no_position_twice(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut given = HashSet::new();
    let mut newest = bounds(&*store).await.newest;
    for round in 0..5 {
        let positions = append_all(&*store, &[event(round), event("and one more")]).await;
        let another = append(&*other, round).await;
        for position in positions.into_iter().chain([another]) {
            assert!(given.insert(position), "{position} was given before");
            assert!(position > newest, "{position} comes after {newest}");
            newest = position;
        }
        // All of them, and only the newest, by turns.
        let gone = if round % 2 == 0 { given.iter().copied().collect() } else { vec![newest] };
        for position in gone {
            store.delete(position).await.expect("deleted");
        }
        assert_eq!(bounds(&*other).await.newest, newest, "kept or not");
    }
}
