//! Older pages, newest first, for a page that is scrolled back.

use sse_core::{
    Event, EventId, EventLog, Follower, Frame, GapReason, LogOptions, NewEvent, StoreOptions,
    TopicSet,
};

use crate::support::clock;
use crate::support::script::numbers;
use crate::support::scripted_store::{Positions, ScriptedStore};

/// The data of these events, oldest first.
fn oldest_first(events: &[Frame]) -> Vec<String> {
    events.iter().rev().map(|frame| frame.to_event().data.expect("data")).collect()
}

/// A log over a store, of which the newest three events are in memory once it is followed.
async fn over_a_store(positions: Positions) -> (EventLog, Follower) {
    let store = ScriptedStore::on(clock::timer(), positions);
    let options = StoreOptions::new().tail_events(3);
    EventLog::open(store, options, clock::timer()).await.expect("the store is up")
}

/// Scrolls back from the newest event by pages of so many events. Returns what it got, oldest first.
async fn scrolled(
    log: &EventLog,
    newest: &EventId,
    topics: Option<&TopicSet>,
    limit: usize,
) -> Vec<String> {
    let (mut all, mut before) = (Vec::new(), newest.clone());
    loop {
        let page = match topics {
            Some(topics) => log.read_before_in(topics, &before, limit).await,
            None => log.read_before(&before, limit).await,
        };
        let page = page.expect("the id is of the log");
        assert!(page.len() <= limit);
        let Some(oldest) = page.last() else { return oldest_first(&all) };
        before = oldest.id().expect("an id").clone();
        all.extend(page);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_go_back_to_the_oldest_event_in_memory_and_over_a_store() {
    let (memory, [dense, sparse]) = (
        EventLog::in_memory(1000),
        [over_a_store(Positions::Dense).await, over_a_store(Positions::Sparse).await],
    );
    for (log, follower) in [(memory, None), (dense.0, Some(dense.1)), (sparse.0, Some(sparse.1))] {
        let following = follower.map(tokio::spawn);
        let events = (1..=300).map(|n| Event::new(n.to_string()));
        let ids = log.append_all(events).await.expect("stored");
        let newest = ids.last().expect("300");
        for limit in [1, 7, 299, 300, usize::MAX] {
            assert_eq!(scrolled(&log, newest, None, limit).await, numbers(1..=299), "{limit}");
        }
        assert!(log.read_before(newest, 0).await.expect("an id").is_empty());
        following.into_iter().for_each(|following| following.abort());
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_has_at_most_a_thousand_events_and_so_many_bytes() {
    let log = EventLog::in_memory(5000);
    log.append_all((1..=3000).map(|n| n.to_string())).await.expect("stored");
    let newest = log.stats().newest;
    assert_eq!(log.read_before(&newest, 2000).await.expect("an id").len(), 1000);

    let (store, options) =
        (ScriptedStore::on(clock::timer(), Positions::Dense), StoreOptions::new());
    let opened =
        EventLog::open(store, options.tail_events(1).tail_bytes(1000), clock::timer()).await;
    let (log, _follower) = opened.expect("the store is up");
    let ids = log.append_all((0..10).map(|_| "x".repeat(300))).await.expect("stored");
    let page = log.read_before(&ids[9], 100).await.expect("an id");
    let got: Vec<_> = page.iter().map(|frame| frame.id().expect("an id")).collect();
    assert_eq!(got, [&ids[8], &ids[7], &ids[6]]);
    let large = log.append("x".repeat(2000)).await.expect("stored");
    let last = log.append("x").await.expect("stored");
    let page = log.read_before(&last, 100).await.expect("an id");
    assert_eq!(page.len(), 1, "one event whatever its size");
    assert_eq!(page[0].id(), Some(&large));
}

#[tokio::test(start_paused = true)]
async fn pages_of_topics_have_their_events_and_those_without() {
    let topics = TopicSet::new(["a"]).expect("a topic");
    let expected = numbers((1..=299).filter(|n| n % 3 != 1));
    let event = |n: u64| -> NewEvent {
        match n % 3 {
            0 => Event::new(n.to_string()).topic("a").expect("a topic"),
            1 => Event::new(n.to_string()).topic("b").expect("a topic"),
            _ => Event::new(n.to_string()).into(),
        }
    };
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    let options = StoreOptions::new().tail_events(9);
    let opened = EventLog::open(store, options, clock::timer()).await;
    let (stored, follower) = opened.expect("the store is up");
    let following = tokio::spawn(follower);
    for log in [EventLog::in_memory(1000), stored] {
        let ids = log.append_all((1..=300).map(event)).await.expect("stored");
        let newest = ids.last().expect("300");
        for limit in [1, 7, 1000] {
            assert_eq!(scrolled(&log, newest, Some(&topics), limit).await, expected, "{limit}");
        }
    }
    following.abort();

    // Events from before there was a topic go to every stream of topics.
    let log = EventLog::in_memory(1000);
    log.append_all((1..=5).map(|n| n.to_string())).await.expect("stored");
    log.append_all((6..=9).map(event)).await.expect("stored");
    assert_eq!(
        scrolled(&log, &log.stats().newest, Some(&topics), 2).await,
        numbers([1, 2, 3, 4, 5, 6, 8])
    );
}

#[tokio::test(start_paused = true)]
async fn before_the_oldest_there_is_nothing_and_an_id_without_a_place_is_a_gap() {
    let log = EventLog::in_memory(LogOptions::new().events(3));
    let ids = log.append_all((1..=6).map(|n| n.to_string())).await.expect("stored");
    let older = log.read_before(&ids[5], 10).await.expect("an id");
    assert_eq!(oldest_first(&older), numbers([4, 5]));
    for id in &ids[..4] {
        assert!(log.read_before(id, 10).await.expect("of the log").is_empty(), "{id}");
    }
    log.delete(&ids[4]).await.expect("it is there");
    let older = log.read_before(&ids[5], 10).await.expect("an id");
    assert_eq!(oldest_first(&older), numbers([4]));
    let ahead = ids[5].as_str().replace(".6", ".7");
    for (id, reason) in [
        (ahead.as_str(), GapReason::AheadOfHead),
        ("k3b9.1", GapReason::OtherEpoch),
        ("nonsense", GapReason::Unknown),
    ] {
        let id: EventId = id.parse().expect("an id");
        let error = log.read_before(&id, 10).await.expect_err("it has no place");
        assert_eq!(error.gap().expect("a gap").reason, reason);
    }
}

/// The store must be asked for no more than the page, however far back it is.
#[tokio::test(start_paused = true)]
async fn a_page_far_back_in_a_store_is_few_reads() {
    use crate::support::scripted_store::Call;
    for positions in [Positions::Dense, Positions::Sparse] {
        let store = ScriptedStore::on(clock::timer(), positions);
        let options = StoreOptions::new().tail_events(3).events(100_000);
        let opened = EventLog::open(store.clone(), options, clock::timer()).await;
        let (log, _follower) = opened.expect("the store is up");
        let ids = log.append_all((1..=20_000).map(|n| n.to_string())).await.expect("stored");
        let before = store.calls(Call::Read);
        let page = log.read_before(&ids[5000], 100).await.expect("an id");
        assert_eq!(oldest_first(&page), numbers(4901..=5000));
        let reads = store.calls(Call::Read) - before;
        assert!(reads < 10, "{reads} reads with {positions:?} positions");
    }
}
