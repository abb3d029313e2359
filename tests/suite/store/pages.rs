//! The content of a page.

use sse_core::store::{EncodedEvent, PageLimit};
use sse_core::{Event, Position};

use super::tools::{
    PAGE, all_after, all_by, append, append_all, bounds, encoded, event, keyed, open, soon,
    text_of, texts,
};
use crate::suite::store_engine::Engine;

/// Blocks come back byte for byte, and with their keys.
pub async fn gives_back_what_it_was_given(engine: &dyn Engine) {
    let store = open(engine).await;
    let texts =
        ["", "two\nlines", "naïve \u{1F980}", "\u{0}\u{1}", " spaces ", "id: no\nevent: no"];
    let mut events: Vec<EncodedEvent> = texts.iter().map(event).collect();
    let typed = Event::typed("a-type", "typed");
    events.push(encoded(typed));
    events.push(keyed("a key: of \u{1F980}", "keyed"));
    events.push(event("x".repeat(1 << 20)));
    let positions = append_all(&*store, &events).await;

    let (mut after, mut given) = (Position::START, Vec::new());
    loop {
        let page = soon("a page is there", store.read(after, PAGE)).await.expect("a page");
        let Some(last) = page.events.last() else { break };
        after = last.position;
        given.extend(page.events);
    }
    assert_eq!(given.len(), events.len());
    for ((given, event), position) in given.iter().zip(&events).zip(positions) {
        assert_eq!(
            (given.position, &given.block, &given.key),
            (position, &event.block, &event.key)
        );
    }
}

pub async fn has_bounds_before_the_first_event(engine: &dyn Engine) {
    let store = open(engine).await;
    let empty = bounds(&*store).await;
    assert_eq!(empty.oldest, None);
    assert!(!empty.is_finished);
    assert!(empty.floor <= empty.newest, "{empty:?}");
    assert_eq!(store.before_last(PageLimit::of_events(10)).await.expect("a position"), empty.floor);
    assert!(all_after(&*store, empty.floor).await.is_empty());

    let first = append(&*store, "first").await;
    let bounds = bounds(&*store).await;
    assert!(empty.newest < first, "what there was before the first is not above it");
    assert_eq!((bounds.oldest, bounds.newest), (Some(first), first));
    assert!(bounds.floor < first && bounds.floor >= empty.floor, "{bounds:?}");
    assert_eq!(bounds.epoch, empty.epoch);
}

pub async fn gives_at_least_one_event_however_large(engine: &dyn Engine) {
    let store = open(engine).await;
    let sizes = [10, 100_000, 10, 1 << 20, 70_000];
    let events: Vec<_> = sizes.iter().map(|size| event("x".repeat(*size))).collect();
    append_all(&*store, &events).await;
    for limit in [PageLimit { events: 1000, bytes: 1 }, PageLimit { events: 1, bytes: 1 }, PAGE] {
        let all = all_by(&*store, Position::START, limit).await;
        assert_eq!(all.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), sizes, "{limit:?}");
    }
}

pub async fn respects_the_limits_of_a_page(engine: &dyn Engine) {
    let store = open(engine).await;
    let events: Vec<_> = (0..100).map(|n| event(format_args!("{n:0>100}"))).collect();
    append_all(&*store, &events).await;
    let size = events[0].block.len();
    for limit in [
        PageLimit { events: 7, bytes: usize::MAX },
        PageLimit { events: usize::MAX, bytes: 5 * size },
        PageLimit { events: usize::MAX, bytes: 5 * size - 1 },
        PageLimit { events: 3, bytes: 50 * size },
    ] {
        let page =
            soon("a page is there", store.read(Position::START, limit)).await.expect("a page");
        assert!((1..=limit.events).contains(&page.events.len()), "{limit:?}");
        let bytes: usize = page.events.iter().map(|event| event.block.len()).sum();
        assert!(bytes <= limit.bytes, "{bytes} bytes with {limit:?}");
        assert_eq!(all_by(&*store, Position::START, limit).await.len(), 100, "{limit:?}");
    }
}

pub async fn finds_what_comes_before_the_last(engine: &dyn Engine) {
    let store = open(engine).await;
    let events: Vec<_> = (0..50).map(event).collect();
    let positions = append_all(&*store, &events).await;
    store.delete(positions[45]).await.expect("deleted");
    let kept: Vec<String> = (0..50).filter(|n| *n != 45).map(|n| n.to_string()).collect();
    for count in [0, 1, 3, 4, 5, 6, 48, 49] {
        let before = soon("there is a position", store.before_last(PageLimit::of_events(count)))
            .await
            .expect("one");
        let after = all_after(&*store, before).await;
        assert_eq!(texts(&after), kept[49 - count..], "the last {count}");
    }
    // In bytes it ends just so, or a little sooner: a store may count more than the blocks.
    let sizes = [100, 5000, 100, 20_000, 100, 5000, 5000, 100_000];
    let (large, batch) = sizes.split_at(4);
    for part in [large, batch] {
        let events: Vec<_> = part.iter().map(|size| event("x".repeat(*size))).collect();
        append_all(&*store, &events).await;
    }
    for (bytes, most) in [(0, 1), (100, 1), (106_000, 2), (113_000, 4), (134_000, 6)] {
        for events in [1, 2, 3, 5, 8, usize::MAX] {
            let limit = PageLimit { events, bytes };
            let before = soon("there is a position", store.before_last(limit)).await.expect("one");
            assert_eq!(all_after(&*store, before).await.len(), most.min(events), "{limit:?}");
        }
    }
}

pub async fn finds_the_floor_before_more_than_there_are(engine: &dyn Engine) {
    let store = open(engine).await;
    append_all(&*store, &[event("one"), event("two")]).await;
    for count in [3, 50, 1000, usize::MAX] {
        let before = soon("there is a position", store.before_last(PageLimit::of_events(count)))
            .await
            .expect("one");
        assert_eq!(before, bounds(&*store).await.floor, "there are fewer than {count}");
    }
}

pub async fn reads_backwards_from_any_position(engine: &dyn Engine) {
    let store = open(engine).await;
    let older = async |before, events, bytes| {
        let read = store.read_before(before, None, PageLimit { events, bytes });
        let page = soon("a page is there", read).await.expect("a page");
        page.events.iter().map(|event| (event.position, text_of(event))).collect::<Vec<_>>()
    };
    assert!(older(Position::MAX, 10, usize::MAX).await.is_empty(), "there is no event yet");
    let events: Vec<_> = (0..61).map(event).collect();
    let (alone, batch) = events.split_at(5);
    for event in alone {
        append_all(&*store, std::slice::from_ref(event)).await;
    }
    append_all(&*store, batch).await;
    let mut all = all_after(&*store, Position::START).await;
    let deleted = all.remove(30);
    store.delete(deleted.0).await.expect("deleted");
    assert_eq!(all_after(&*store, Position::START).await, all);
    all.reverse();
    for count in [1, 7, 60, usize::MAX] {
        let (mut given, mut before) = (Vec::new(), Position::MAX);
        loop {
            let page = older(before, count, usize::MAX).await;
            assert!(page.len() <= count);
            let Some(oldest) = page.last() else { break };
            before = oldest.0;
            given.extend(page);
        }
        assert_eq!(given, all, "{count} at a time");
    }
    assert_eq!(older(deleted.0, 1, usize::MAX).await[0], all[all.len() - 30]);
    let size = event(59).block.len();
    assert_eq!(older(Position::MAX, 10, 3 * size).await, all[..3]);
    assert_eq!(older(Position::MAX, 10, 1).await, all[..1]);
}
