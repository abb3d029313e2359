//! A store may keep only the newest of the events with one key.

use sse_core::Position;

use super::tools::{PAGE, append_all, bounds, event, keyed, open, soon, text_of};
use crate::suite::store_engine::Engine;

/// Older ones may be there or not; the newest is, and what has no key, and their order.
pub async fn has_the_newest_event_of_each_key(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let floor = bounds(&*store).await.floor;
    append_all(&*store, &[keyed("cpu", "1"), event("a"), keyed("memory", "2")]).await;
    append_all(&*other, &[keyed("cpu", "3"), event("b"), keyed("cpu", "4")]).await;
    append_all(&*store, &[keyed("memory", "5"), event("c"), keyed("disk", "6")]).await;

    let page = soon("a page is there", other.read(Position::START, PAGE)).await.expect("a page");
    assert_eq!(page.bounds.floor, floor, "the absence of those before is no gap");
    let all: Vec<_> =
        page.events.iter().map(|event| (event.key.as_deref(), text_of(event))).collect();
    let newest_of_each = all.iter().enumerate().filter(|(place, (key, _))| {
        key.is_none() || all[place + 1..].iter().all(|(later, _)| later != key)
    });
    let newest: Vec<_> = newest_of_each.map(|(_, (key, text))| (*key, text.as_str())).collect();
    let expected = [
        (None, "a"),
        (None, "b"),
        (Some("cpu"), "4"),
        (Some("memory"), "5"),
        (None, "c"),
        (Some("disk"), "6"),
    ];
    assert_eq!(newest, expected);
    assert!(texts_ascend(&all), "{all:?}");
}

/// The numbers are in the order in which they were given.
fn texts_ascend(all: &[(Option<&str>, String)]) -> bool {
    all.iter().filter(|(key, _)| key.is_some()).map(|(_, text)| text).is_sorted()
}

/// A thousand updates of a key that nobody reads do not fill the log.
pub async fn keeps_little_of_a_key_that_changes_often(engine: &dyn Engine) {
    let store = open(engine).await;
    append_all(&*store, &[event("before")]).await;
    for round in 0..20 {
        let batch: Vec<_> = (0..50).map(|n| keyed("k", round * 50 + n)).collect();
        append_all(&*store, &batch).await;
    }
    let page = soon("a page is there", store.read(Position::START, PAGE)).await.expect("a page");
    let texts: Vec<_> = page.events.iter().map(text_of).collect();
    assert_eq!(texts.first().map(String::as_str), Some("before"));
    assert_eq!(texts.last().map(String::as_str), Some("999"));
    assert!(texts.len() <= 2, "{} events are left", texts.len());
}
