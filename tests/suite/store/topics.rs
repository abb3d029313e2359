//! The topics of events, and reading by topics: it gives what a filter over the log would give.
// Longer than other files: these requirements share what such a filter is, and how a store is read by it.

use std::collections::BTreeSet;

use sse_core::store::{
    EncodedEvent, PageLimit, Store, StoredEvent, TopicFilter, TopicPage, Topics,
};
use sse_core::{Event, NewEvent, Position, StoreOptions, Topic};

use super::tools::{
    Followed, PAGE, append_all, bounds, check_order, encoded, event, open, soon, text_of,
};
use crate::suite::store_engine::Engine;

/// Returns an event with these topics.
pub(super) fn of_topics<T: AsRef<str>>(
    text: impl ToString,
    topics: impl IntoIterator<Item = T>,
) -> NewEvent {
    let event = NewEvent::from(Event::new(text.to_string()));
    topics.into_iter().fold(event, |event, topic| event.topic(topic.as_ref()).expect("a topic"))
}

fn filter<T: AsRef<str>>(topics: impl IntoIterator<Item = T>, without: bool) -> TopicFilter {
    let topics = topics.into_iter().map(|topic| Topic::try_from(topic.as_ref()).expect("a topic"));
    TopicFilter::new(topics, without)
}

async fn page_of(
    store: &dyn Store,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> TopicPage {
    let read = soon("a page is there", store.read_topics(after, filter, limit)).await;
    let read = read.expect("a page");
    let events = &read.page.events;
    check_order(after, events);
    assert!(events.iter().all(|event| filter.takes(&event.topics)), "it has another's event");
    assert!(read.upto >= events.last().map_or(after, |event| event.position), "{read:?}");
    if read.upto <= after {
        // There is no later event.
        let page = soon("a page is there", store.read(after, limit)).await.expect("a page");
        assert_eq!(page.events, [], "it never comes to an end: {read:?} after {after}");
    }
    let bytes: usize = events.iter().map(|event| event.block.len()).sum();
    assert!(events.len() <= 1 || (events.len() <= limit.events && bytes <= limit.bytes));
    read
}

/// All that pass, by pages of this size; and the number of pages.
async fn all_of(
    store: &dyn Store,
    mut after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> (Vec<StoredEvent>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let TopicPage { page, upto } = page_of(store, after, filter, limit).await;
        pages += 1;
        all.extend(page.events);
        if upto <= after || upto >= page.bounds.newest {
            return (all, pages);
        }
        after = upto;
    }
}

/// All before this position that pass, by pages of this size, oldest first.
async fn all_before(
    store: &dyn Store,
    mut before: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Vec<StoredEvent> {
    let mut all = Vec::new();
    loop {
        let read = store.read_before(before, Some(filter), limit);
        let page = soon("a page is there", read).await.expect("a page");
        assert!(page.events.len() <= limit.events);
        let Some(oldest) = page.events.last() else { break };
        before = oldest.position;
        all.extend(page.events);
    }
    all.reverse();
    all
}

async fn all(store: &dyn Store) -> Vec<StoredEvent> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = soon("a page is there", store.read(after, PAGE)).await.expect("a page");
        let Some(last) = page.events.last() else { return all };
        after = last.position;
        all.extend(page.events);
    }
}

/// Leaves out the events whose key has a newer one in the log. A store may return them, and need not.
fn without_superseded(mut events: Vec<StoredEvent>, log: &[StoredEvent]) -> Vec<StoredEvent> {
    let is_newer = |event: &StoredEvent, other: &StoredEvent| {
        other.key == event.key && other.position > event.position
    };
    events.retain(|event| event.key.is_none() || !log.iter().any(|other| is_newer(event, other)));
    events
}

/// Topics of all lengths and of each character that is allowed, with and without keys, in a batch and alone, read and followed.
pub async fn gives_back_the_topics_of_its_events(engine: &dyn Engine) {
    let store = open(engine).await;
    assert!(store.keeps_topics());
    let ascii = (' '..='~').map(|character| format!("user {character}/7"));
    let ascii: Vec<_> = ascii.chain((' '..='~').map(String::from)).collect();
    let long = "é".repeat(Topic::MAX_LEN / 2);
    let eight: Vec<_> = (0..Topics::MAX).map(|n| format!("{n}{}", "x".repeat(127))).collect();
    let mut given: Vec<NewEvent> =
        ascii.chunks(Topics::MAX).map(|some| of_topics("ascii", some)).collect();
    given.extend(ascii.iter().map(|topic| of_topics(topic, [topic])));
    given.push(of_topics("long", [&long]));
    given.push(of_topics("eight", &eight));
    given.push(of_topics("keyed", ["a", "b"]).key("key").expect("a key"));
    given.push(of_topics("keyed once", ["c"]).key("other key").expect("a key"));
    given.push(of_topics("once", ["c"]).idempotency_key("once").expect("a key"));
    given.push(of_topics("of all", [""; 0]));
    let given: Vec<EncodedEvent> = given.into_iter().map(encoded).collect();
    let mut followed = Followed::new(open(engine).await, Position::START);
    append_all(&*store, &given[..20]).await;
    for event in &given[20..] {
        append_all(&*store, std::slice::from_ref(event)).await;
    }
    append_all(&*store, &given[given.len() - 2..given.len() - 1]).await;
    let stored = all(&*open(engine).await).await;
    assert_eq!(stored.len(), given.len());
    for (stored, given) in stored.iter().zip(&given) {
        assert_eq!(stored.topics, given.topics, "{:?}", given.block);
        assert_eq!((&stored.key, &stored.block), (&given.key, &given.block));
    }
    followed.until(given.len()).await;
    let topics: Vec<_> = given.iter().map(|event| &event.topics).collect();
    assert_eq!(followed.topics.iter().collect::<Vec<_>>(), topics);
    for topic in ascii.iter().chain([&long, &eight[7]]) {
        let (found, _) = all_of(&*store, Position::START, &filter([topic], false), PAGE).await;
        let expected = stored.iter().filter(|event| event.topics.iter().any(|own| own == topic));
        assert_eq!(found, expected.cloned().collect::<Vec<_>>(), "{topic}");
    }
}

/// After any calls in any order, by many topics and few, hot and rare, whatever the size of a page.
pub async fn reads_by_topics_what_a_filter_over_the_log_would_give(engine: &dyn Engine) {
    let (store, mut random) = (open(engine).await, fastrand::Rng::with_seed(13));
    // Half of the events are of the first few topics.
    let topic = |random: &mut fastrand::Rng| match random.bool() {
        true => format!("hot/{}", random.u8(..4)),
        false => format!("rare/{}", random.usize(..300)),
    };
    for round in 0..12 {
        let events: Vec<_> = (0..random.usize(1..160))
            .map(|number| {
                let count = [0, 1, 1, 1, 1, 2, 3, 8][random.usize(..8)];
                let topics: BTreeSet<_> = (0..count).map(|_| topic(&mut random)).collect();
                let event = of_topics(format!("{round} {number}"), topics);
                encoded(match random.u8(..12) {
                    0 => event.key(&format!("key {}", random.u8(..9))).expect("a key"),
                    1 => event.idempotency_key(&format!("{round} {number}")).expect("a key"),
                    _ => event,
                })
            })
            .collect();
        match random.bool() {
            true => _ = append_all(&*store, &events).await,
            false => {
                for event in &events {
                    append_all(&*store, std::slice::from_ref(event)).await;
                }
            }
        }
        let stored = all(&*store).await;
        match random.u8(..3) {
            0 => {
                let gone = random.choice(&stored).expect("there are some").position;
                soon("it is deleted", store.delete(gone)).await.expect("deleted");
            }
            1 if stored.len() > 300 => {
                let retention = StoreOptions::new().events(stored.len() / 2).retention();
                soon("it is retained", store.retain(&retention)).await.expect("retained");
            }
            _ => {}
        }
        let stored = all(&*store).await;
        let floor = bounds(&*store).await.floor;
        for count in [0, 1, 2, 9, 40, 304] {
            let topics: BTreeSet<_> = (0..count).map(|_| topic(&mut random)).collect();
            let filter = filter(topics, random.bool());
            let after = match random.bool() {
                true => floor,
                false => random.choice(&stored).expect("there are some").position,
            };
            let limit = [
                PAGE,
                PageLimit::of_events(1 + random.usize(..30)),
                PageLimit { events: 100, bytes: 90 },
            ];
            let limit = random.choice(limit).expect("one");
            let passes =
                |event: &&StoredEvent| event.position > after && filter.takes(&event.topics);
            let expected: Vec<_> = stored.iter().filter(passes).cloned().collect();
            let expected = without_superseded(expected, &stored);
            let (found, _) = all_of(&*store, after, &filter, limit).await;
            let found = without_superseded(found, &stored);
            let names = |events: &[StoredEvent]| events.iter().map(text_of).collect::<Vec<_>>();
            assert_eq!(names(&found), names(&expected), "{count} topics after {after}, {limit:?}");
            assert_eq!(found, expected);

            let earlier =
                |event: &&StoredEvent| event.position < after && filter.takes(&event.topics);
            let expected: Vec<_> = stored.iter().filter(earlier).cloned().collect();
            let found = all_before(&*store, after, &filter, limit).await;
            let found = without_superseded(found, &stored);
            assert_eq!(
                names(&found),
                names(&without_superseded(expected, &stored)),
                "before {after}"
            );
        }
    }
}

/// An event of a topic is not there any more once it was deleted, superseded or trimmed, and is there under the topics that a key has now.
pub async fn forgets_the_topics_of_events_that_are_gone(engine: &dyn Engine) {
    let store = open(engine).await;
    let keyed =
        |text: &str, topic: &str| encoded(of_topics(text, [topic]).key("key").expect("a key"));
    let old =
        append_all(&*store, &[encoded(of_topics("old", ["a"])), encoded(of_topics("b", ["b"]))])
            .await;
    append_all(&*store, &[keyed("before", "a")]).await;
    append_all(&*store, &[keyed("now", "b")]).await;
    soon("it is deleted", store.delete(old[1])).await.expect("deleted");
    let names = async |topic: &str| {
        let (found, _) = all_of(&*store, Position::START, &filter([topic], false), PAGE).await;
        // A store may return an event a while after another has superseded it.
        let found = found.iter().map(text_of).filter(|text| text != "before");
        found.collect::<Vec<_>>()
    };
    assert_eq!(
        (names("a").await, names("b").await),
        (vec!["old".to_owned()], vec!["now".to_owned()])
    );
    append_all(&*store, &[event("one"), event("two"), encoded(of_topics("three", ["a"]))]).await;
    let retention = StoreOptions::new().events(2).retention();
    soon("it is retained", store.retain(&retention)).await.expect("retained");
    let floor = bounds(&*store).await.floor;
    assert!(floor >= old[0], "it was dropped");
    let read = page_of(&*store, Position::START, &filter(["a"], false), PAGE).await;
    assert!(read.page.bounds.floor > Position::START, "the gap is seen");
    let (found, _) = all_of(&*store, floor, &filter(["a"], false), PAGE).await;
    assert_eq!(found.iter().map(text_of).collect::<Vec<_>>(), ["three"]);
}

/// Between two pages the oldest events are dropped: the floor of the next page says so.
pub async fn skips_nothing_of_topics_that_is_trimmed_between_pages(engine: &dyn Engine) {
    let store = open(engine).await;
    let events: Vec<_> = (0..60).map(|n| encoded(of_topics(n, [format!("t/{}", n % 3)]))).collect();
    append_all(&*store, &events).await;
    let (two, limit) = (filter(["t/0", "t/1"], true), PageLimit::of_events(5));
    let first = page_of(&*store, Position::START, &two, limit).await;
    assert!(!first.page.events.is_empty());
    let retention = StoreOptions::new().events(20).retention();
    soon("it is retained", store.retain(&retention)).await.expect("retained");
    let next = page_of(&*store, first.upto, &two, limit).await;
    assert!(next.page.bounds.floor > first.upto, "{:?}", next.page.bounds);
}
