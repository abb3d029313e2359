//! The state that outlives the engine's end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join_all;
use sse_core::store::{Store, StoreError};
use sse_core::{Position, StoreOptions};
use sse_test_kit::client::Client;

use super::process::Process;
use super::tools::{
    NAME, PAGE, Placed, all_after, append_all, bounds, event, keyed, once, open, soon, text_of,
    texts,
};
use crate::suite::store_engine::Durable;
use sse_test_kit::eventually::eventually_some;

/// The time that a store may take to be open again after a crash.
const RECOVERY: Duration = Duration::from_secs(20);

/// The store, once the engine is back.
async fn reopened(engine: &dyn Durable) -> Arc<dyn Store> {
    eventually_some(RECOVERY, "it is open again", async || {
        let store = engine.open(NAME, StoreOptions::default()).await.ok()?;
        store.bounds().await.is_ok().then_some(store)
    })
    .await
}

/// Events, keys, bounds, epoch, and what an idempotency key stands for.
pub async fn remembers_after_reopening(engine: &dyn Durable) {
    let store = open(engine).await;
    let once = || once("a", "once");
    let keyed = keyed("k", "keyed");
    let given = [event("one"), event("two"), event("three"), keyed, once()];
    let positions = append_all(&*store, &given).await;
    store.delete(positions[1]).await.expect("deleted");
    let retention = StoreOptions::new().events(3).retention();
    soon("the oldest is gone", async {
        while all_after(&*store, Position::START).await.len() > 3 {
            store.retain(&retention).await.expect("retained");
        }
    })
    .await;
    let epoch = bounds(&*store).await.epoch;
    let epoch = store.begin_epoch(epoch).await.expect("begun");
    let again = append_all(&*store, &[once()]).await;
    assert!(again[0] > positions[4], "in a new epoch it is stored again");
    let before = bounds(&*store).await;
    drop(store);
    engine.crash().await;

    let store = reopened(engine).await;
    assert_eq!(bounds(&*store).await, before);
    assert_eq!(before.epoch, epoch);
    assert!(before.floor >= positions[0], "who was before it has lost something");
    let page = soon("a page is there", store.read(before.floor, PAGE)).await.expect("a page");
    let kept: Vec<_> =
        page.events.iter().map(|e| (e.position, text_of(e), e.key.clone())).collect();
    assert_eq!(
        kept,
        [
            (positions[2], "three".to_owned(), None),
            (positions[3], "keyed".to_owned(), Some("k".into())),
            (positions[4], "once".to_owned(), None),
            (again[0], "once".to_owned(), None),
        ]
    );
    assert_eq!(append_all(&*store, &[once()]).await, again, "it is known still");
    let next = append_all(&*store, &[event("next")]).await;
    assert!(next[0] > before.newest, "no position is given twice");
}

pub async fn stays_finished_after_reopening(engine: &dyn Durable) {
    let store = open(engine).await;
    append_all(&*store, &[event("last")]).await;
    store.finish().await.expect("finished");
    drop(store);
    engine.crash().await;
    let store = reopened(engine).await;
    assert!(bounds(&*store).await.is_finished);
    let refused = store.append(&[event("more")]).await;
    assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
    assert_eq!(texts(&all_after(&*store, Position::START).await), ["last"]);
}

/// An id from before can be resumed afterwards.
pub async fn resumes_a_client_after_reopening(engine: &dyn Durable) {
    let process = Process::start(engine).await;
    let ids = process.append_all(0..10).await;
    drop(process);
    engine.crash().await;
    drop(reopened(engine).await);
    let process = Process::start(engine).await;
    let mut client = Client::resume(&process.log, &ids[4]);
    process.append(10).await;
    assert_eq!(client.read_until(6).await, ["5", "6", "7", "8", "9", "10"]);
}

/// Every acknowledged event is there, in order, none twice, however often it is killed in the middle of writing.
pub async fn survives_kill_9(engine: &dyn Durable) {
    let kills = std::env::var("SSE_KILLS").ok().map(|kills| kills.parse().expect("a number"));
    let kills: usize = kills.unwrap_or(engine.kills());
    let mut acknowledged: HashMap<String, Position> = HashMap::new();
    for kill in 0..kills {
        let store = reopened(engine).await;
        let is_back = Arc::new(AtomicBool::new(false));
        let writers = (0..4).map(|writer| {
            let (store, is_back) = (Arc::clone(&store), Arc::clone(&is_back));
            tokio::spawn(async move { write(&*store, kill, writer, &is_back).await })
        });
        let writers: Vec<_> = writers.collect();
        drop(store);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..60))).await;
        engine.crash().await;
        is_back.store(true, Relaxed);
        for writer in join_all(writers).await {
            acknowledged.extend(writer.expect("it wrote").into_iter().map(|(c, text)| (text, c)));
        }
        check(&all_after(&*reopened(engine).await, Position::START).await, &acknowledged);
    }
    assert!(!acknowledged.is_empty(), "nothing was ever written");
}

/// Returns the acknowledged events, until an error, after which nothing is known of the last event.
async fn write(store: &dyn Store, kill: usize, writer: usize, is_back: &AtomicBool) -> Vec<Placed> {
    let mut placed = Vec::new();
    for number in 0.. {
        if is_back.load(Relaxed) {
            break; // a connection that has come back before it was missed
        }
        let text = format!("{kill} {writer} {number:06}");
        let attempt = [event(&text)];
        match tokio::time::timeout(RECOVERY, store.append(&attempt)).await {
            Ok(Ok(appended)) => placed.push((appended.positions[0], text)),
            Ok(Err(_)) => break,
            Err(_) => panic!("an append waits for longer than {RECOVERY:?}"),
        }
    }
    placed
}

fn check(all: &[Placed], acknowledged: &HashMap<String, Position>) {
    let places: HashMap<_, _> = all.iter().map(|(position, text)| (text, position)).collect();
    assert_eq!(places.len(), all.len(), "an event is there twice");
    for (text, position) in acknowledged {
        assert_eq!(places.get(text), Some(&position), "{text} was acknowledged");
    }
    let mut last: HashMap<&str, &str> = HashMap::new();
    for (_, text) in all {
        let (writer, number) = text.rsplit_once(' ').expect("a number");
        let before = last.insert(writer, number);
        assert!(before < Some(number), "{text} comes after {before:?}");
    }
}
