//! A finished log takes no more events.

use std::sync::Arc;

use futures_util::future::join_all;
use sse_core::store::{Appended, EncodedEvent, Store, StoreError};
use sse_core::{Event, Position, Start};
use sse_test_kit::client::{Client, status_after};
use sse_test_kit::eventually::eventually;
use sse_test_kit::waiting::PATIENCE;

use super::process::Process;
use super::tools::{
    Followed, all_after, append_all, bounds, event, keyed, numbers, once, open, soon, texts,
};
use crate::suite::store_engine::Engine;

pub async fn is_finished_for_good(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    append_all(&*store, &[event("one"), event("two")]).await;
    let before = bounds(&*store).await;
    store.finish().await.expect("finished");
    other.finish().await.expect("a second time changes nothing");
    for store in [&store, &other, &open(engine).await] {
        let refused = store.append(&[event("three")]).await;
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
        let batch = store.append(&[event("three"), event("four")]).await;
        assert!(matches!(batch, Err(StoreError::Finished)), "{batch:?}");
        let after = bounds(&**store).await;
        assert!(after.is_finished);
        assert_eq!((after.epoch, after.newest), (before.epoch, before.newest));
        assert_eq!(texts(&all_after(&**store, Position::START).await), ["one", "two"]);
    }
}

pub async fn can_be_finished_before_its_first_event(engine: &dyn Engine) {
    let store = open(engine).await;
    store.finish().await.expect("finished");
    let refused = open(engine).await.append(&[event("one")]).await;
    assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
    assert!(bounds(&*store).await.is_finished);
}

pub async fn tells_followers_of_a_finish(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    append_all(&*store, &[event("one")]).await;
    followed.until(1).await;
    store.finish().await.expect("finished");
    followed.until_told("those who follow are told of the finish", |b| b.is_finished).await;
    assert_eq!(texts(&followed.events), ["one"]);
}

async fn finish_with(store: &dyn Store, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
    soon("it is finished with them", store.finish_with(events)).await
}

/// Its readers get the events and the end, by pages and as they follow.
pub async fn is_finished_with_its_last_events(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    append_all(&*store, &[event("one"), keyed("k", "superseded")]).await;
    followed.until(2).await;
    let last = [event("two"), keyed("k", "three"), event("four")];
    let appended = finish_with(&*store, &last).await.expect("stored");
    followed.until_told("those who follow are told of the end", |b| b.is_finished).await;
    followed.until(5).await;
    assert_eq!(texts(&followed.events[2..]), ["two", "three", "four"]);
    for store in [&store, &other, &open(engine).await] {
        let bounds = bounds(&**store).await;
        assert_eq!((bounds.is_finished, bounds.epoch), (true, appended.epoch));
        assert_eq!(Some(&bounds.newest), appended.positions.last(), "nothing follows the last");
        let all = all_after(&**store, Position::START).await;
        assert_eq!(texts(&all), ["one", "two", "three", "four"]);
        let last: Vec<_> = all[1..].iter().map(|(position, _)| *position).collect();
        assert_eq!(last, appended.positions);
        let more = store.append(&[event("more")]).await;
        assert!(matches!(more, Err(StoreError::Finished)), "{more:?}");
        let again = finish_with(&**store, &[event("more"), event("still")]).await;
        assert!(matches!(again, Err(StoreError::Finished)), "{again:?}");
    }
    assert_eq!(all_after(&*store, Position::START).await.len(), 4);
}

/// The answer to the first attempt was lost. Another process tries again, with an event more or less.
pub async fn is_finished_once_with_events_that_are_known(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let before = append_all(&*store, &[once("a", "one")]).await;
    let last = || [once("a", "one again"), once("b", "two"), once("b", "two again")];
    let first = finish_with(&*store, &last()).await.expect("stored");
    assert_eq!((first.positions[0], first.positions[1]), (before[0], first.positions[2]));
    for store in [&store, &other] {
        assert_eq!(finish_with(&**store, &last()).await.expect("known"), first);
        assert_eq!(store.append(&last()).await.expect("known"), first);
        let unknown = finish_with(&**store, &[once("b", "two"), once("c", "three")]).await;
        assert!(matches!(unknown, Err(StoreError::Finished)), "{unknown:?}");
    }
    assert_eq!(texts(&all_after(&*other, Position::START).await), ["one", "two"]);
}

/// All of them were stored before, and only the end is missing.
pub async fn is_finished_if_all_its_last_events_are_known(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    let known = append_all(&*store, &[once("a", "one"), once("b", "two")]).await;
    followed.until(2).await;
    let last = [once("a", "one again"), once("b", "two again")];
    assert_eq!(finish_with(&*other, &last).await.expect("known").positions, known);
    followed.until_told("those who follow are told of the end", |b| b.is_finished).await;
    for store in [&store, &other] {
        assert!(bounds(&**store).await.is_finished);
        assert_eq!(texts(&all_after(&**store, Position::START).await), ["one", "two"]);
    }
}

/// Of two processes that finish it at the same time one may be refused. All that is acknowledged is there.
pub async fn is_finished_by_many_at_the_same_time(engine: &dyn Engine) {
    let handles = join_all((0..4).map(|_| open(engine))).await;
    append_all(&*handles[0], &[event("first")]).await;
    let batches: Vec<[EncodedEvent; 2]> =
        (0..4).map(|n| [event(format!("{n} a")), event(format!("{n} b"))]).collect();
    let ends = join_all(handles.iter().zip(&batches).map(|(h, last)| finish_with(&**h, last)));
    let mut expected = vec![];
    for (n, end) in ends.await.into_iter().enumerate() {
        match end {
            Ok(appended) => expected.push((appended.positions[0], n)),
            Err(error) => assert!(matches!(error, StoreError::Finished), "{error:?}"),
        }
    }
    expected.sort_unstable();
    let texts_of = |(_, n): &(Position, usize)| [format!("{n} a"), format!("{n} b")];
    let expected: Vec<_> = expected.iter().flat_map(texts_of).collect();
    assert!(!expected.is_empty(), "one of them finishes it");
    for handle in &handles {
        assert!(bounds(&**handle).await.is_finished);
        let all = all_after(&**handle, Position::START).await;
        assert_eq!(texts(&all)[1..], expected);
    }
}

/// Clients of every process get all events, then the end; and a client that comes back then asks no more.
pub async fn ends_every_stream_after_its_last_events(engine: &dyn Engine) {
    let (process, other) = (Process::start(engine).await, Process::start(engine).await);
    process.append_all(0..2).await;
    let mut clients =
        [&process, &other].map(|p| Client::open(p.log.feed().start_at(Start::Oldest)));
    for client in &mut clients {
        client.read_until(2).await;
    }
    let last = [2, 3, 4].map(|n| Event::new(n.to_string()).idempotency_key(&format!("once {n}")));
    let last = last.map(|event| event.expect("a short key"));
    let ids = soon("it is finished", process.log.finish_with(last.clone())).await.expect("stored");
    for client in &mut clients {
        assert_eq!(client.read_to_end().await, numbers(0..5));
    }
    let third = Process::start(engine).await;
    for process in [&process, &other, &third] {
        let log = &process.log;
        eventually(PATIENCE, "it is known to be finished", || log.stats().is_finished).await;
        assert_eq!(status_after(log, &ids[2]), 204, "a client at the end asks no more");
        assert_eq!(Client::resume(log, &ids[0]).read_to_end().await, numbers(3..5));
        let again = soon("it is known", log.finish_with(last.clone())).await;
        assert_eq!(again.expect("the answer to the first"), ids);
    }
}
