//! The index by topic: what is left of events that are gone, and what another program does to it.

use sse_conformance::engines::Redis;
use sse_conformance::suite::answers::text;
use sse_core::store::{EncodedEvent, Store, StoreError, TopicFilter};
use sse_core::{Event, NewEvent, Position, StoreOptions};

use crate::tools::{
    STREAM, append, bounds, command, filter, of_topics, open, open_with, read_topics, soon, told,
};

/// Returns the number in an answer.
pub(crate) async fn number(redis: &Redis, what: String) -> usize {
    let answer = command(redis, what).await;
    answer.trim_start_matches(':').trim().parse().expect("a number")
}

/// Returns the number of topics in the index, and the number of its chunks. Each has one entry from the beginning.
async fn index(redis: &Redis) -> (usize, usize) {
    let topics = number(redis, format!("HLEN {STREAM}:topics")).await;
    let chunks = number(redis, format!("ZCARD {STREAM}:chunks")).await;
    (topics - 1, chunks - 1)
}

async fn found(store: &dyn Store, filter: &TopicFilter) -> Vec<String> {
    let events = read_topics(store, filter).await;
    events.iter().map(|event| text(&event.block)).collect()
}

fn numbered(numbers: impl Iterator<Item = usize>) -> Vec<EncodedEvent> {
    numbers.map(|n| of_topics(n, ["hot", &format!("user/{}", n / 3)])).collect()
}

fn keyed(text: usize, key: &str, topics: &[&str]) -> EncodedEvent {
    let event = NewEvent::from(Event::new(text.to_string())).key(key).expect("a key");
    let event = topics.iter().fold(event, |event, topic| event.topic(*topic).expect("a topic"));
    event.encode(1024).expect("it fits")
}

#[tokio::test]
async fn retention_leaves_at_most_63_positions_of_a_topic_whose_events_are_gone() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    let without: Vec<_> = (0..1000).map(|n| of_topics(n, [""; 0])).collect();
    for part in numbered(0..6000).chunks(500) {
        store.append(part).await.expect("stored");
        // Each of these ends a run of its own.
        store.append(&without[..1]).await.expect("stored");
    }
    assert!(index(&redis).await.1 > 6000 / 64);
    let few = StoreOptions::new().events(100);
    store.retain(&few.retention()).await.expect("retained");
    let (topics, chunks) = index(&redis).await;
    assert!(topics <= 1 + 100 / 3 + 1, "{topics} topics");
    assert!(chunks <= 100usize.div_ceil(64), "{chunks} chunks");

    // By appends alone, too.
    let store = open_with(&redis, few).await;
    for part in numbered(6000..7000).chunks(10) {
        store.append(part).await.expect("stored");
        let (topics, chunks) = index(&redis).await;
        assert!(topics <= 1 + 100 / 3 + 2 && chunks <= 3, "{topics} topics, {chunks} chunks");
    }
    assert_eq!(found(&*store, &filter(["hot"], false)).await.len(), 100);
    for part in without.chunks(100) {
        store.append(part).await.expect("stored");
    }
    assert_eq!(index(&redis).await, (0, 0), "all events with topics are gone");
}

/// The base of the log does not move, since its first event stays.
#[tokio::test]
async fn events_that_are_superseded_leave_nothing_in_the_index() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    append(&*store, "first").await;
    for round in 0..60 {
        let batch: Vec<_> = (0..100)
            .flat_map(|n| {
                let key = format!("key {}", n % 20);
                [keyed(round, &key, &["hot", "other"]), keyed(n, &format!("{key}, too"), &[])]
            })
            .collect();
        store.append(&batch).await.expect("stored");
    }
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    let (topics, chunks) = index(&redis).await;
    assert_eq!(topics, 2, "hot and other");
    assert!(chunks <= 8, "{chunks} chunks");
    assert_eq!(found(&*store, &filter(["hot"], false)).await, ["59"; 20]);
    assert_eq!(found(&*store, &filter([""; 0], true)).await.len(), 21);
    for event in read_topics(&*store, &filter(["hot"], false)).await {
        store.delete(event.position).await.expect("deleted");
    }
    assert_eq!(index(&redis).await.0, 0, "both are forgotten");
}

#[tokio::test]
async fn positions_of_events_that_another_program_has_trimmed_are_dropped() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for part in numbered(0..3000).chunks(500) {
        store.append(part).await.expect("stored");
    }
    command(&redis, format!("XTRIM {STREAM} MAXLEN 6")).await;
    assert_eq!(found(&*store, &filter(["hot"], false)).await.len(), 6);
    assert_eq!(found(&*store, &filter(["user/1"], false)).await.len(), 0);
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    // A chunk ends where its positions fill it, by the times at which they were stored: the last may have some of the six.
    let (topics, chunks) = index(&redis).await;
    assert_eq!(topics, 3, "hot and two users");
    assert!(chunks <= 1, "{chunks} chunks of six events");
    command(&redis, format!("XTRIM {STREAM} MAXLEN 0")).await;
    store.retain(&StoreOptions::default().retention()).await.expect("retained");
    assert_eq!(index(&redis).await, (0, 0));
    let appended = store.append(&numbered(0..1)).await.expect("stored").positions;
    let read = read_topics(&*store, &filter(["user/0"], false)).await;
    assert_eq!(read.iter().map(|event| event.position).collect::<Vec<_>>(), appended);
}

/// Events that are in no index are found in the log.
#[tokio::test]
async fn events_are_found_by_topics_though_another_program_removes_the_index_or_the_stream() {
    for lost in ["topics", "chunks", "topics chunks", "meta", "stream"] {
        let redis = Redis::start().await;
        let store = open(&redis).await;
        store.append(&numbered(0..300)).await.expect("stored");
        match lost {
            // An older copy replaces it.
            "stream" => {
                command(&redis, format!("COPY {STREAM} sse:copy")).await;
                store.append(&numbered(300..400)).await.expect("stored");
                command(&redis, format!("COPY sse:copy {STREAM} REPLACE")).await;
            }
            keys => {
                for key in keys.split(' ') {
                    command(&redis, format!("DEL {STREAM}:{key}")).await;
                }
            }
        }
        let all = async || {
            let user = found(&*store, &filter(["user/7"], false)).await;
            (user, found(&*store, &filter(["hot"], true)).await.len())
        };
        let user = ["21", "22", "23"].map(str::to_owned);
        assert_eq!(all().await, (user.to_vec(), 300), "{lost}");
        store
            .append(&[of_topics("new", ["user/7"]), of_topics("x", [""; 0])])
            .await
            .expect("stored");
        let user = [&user[..], &["new".to_owned()]].concat();
        assert_eq!(all().await, (user, 301), "{lost}");
        assert_eq!(found(&*store, &filter([""; 0], true)).await, ["x"], "{lost}");
    }
}

#[tokio::test]
async fn an_index_of_another_type_refuses_topics_and_nothing_else() {
    for key in ["topics", "chunks"] {
        let redis = Redis::start().await;
        let store = open_with(&redis, StoreOptions::new().events(3)).await;
        store.append(&[keyed(0, "key", &["a"])]).await.expect("stored");
        command(&redis, format!("SET {STREAM}:{key} x")).await;
        let refused = store.append(&[of_topics("b", ["a"])]).await.expect_err("of another type");
        assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
        assert!(told(&refused).contains("WRONGTYPE"), "{}", told(&refused));
        store.append(&[keyed(1, "key", &[])]).await.expect("it supersedes");
        for n in 0..5 {
            append(&*store, n).await;
        }
        let newest = bounds(&*store).await.newest;
        store.delete(newest).await.expect("deleted");
        let events = soon(store.read(Position::START, crate::tools::PAGE)).await.expect("a page");
        assert_eq!(events.events.len(), 2, "{key}");
    }
}

/// The numbers of an id may be larger than those for which Lua is exact.
#[tokio::test]
async fn the_largest_positions_are_found_by_topics() {
    let redis = Redis::start().await;
    let store = open(&redis).await;
    for (count, id) in
        ["9007199254740992-9007199254740991", "18446744073709551614-18446744073709550000"]
            .into_iter()
            .enumerate()
    {
        store.append(&numbered(0..10)).await.expect("stored");
        command(&redis, format!("XADD {STREAM} {id} b x")).await;
        let appended = store.append(&numbered(10..200)).await.expect("stored").positions;
        let read = read_topics(&*store, &filter(["user/30"], false)).await;
        let last: Vec<_> = read.iter().skip(3 * count).map(|event| event.position).collect();
        assert_eq!(last, appended[80..83]);
        let hot = read_topics(&*store, &filter(["hot"], false)).await;
        assert_eq!(hot.len(), 200 * (count + 1));
        assert!(hot.iter().any(|event| event.position == appended[0]));
    }
}
