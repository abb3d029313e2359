//! The end of a log, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures_util::future::join_all;
use sse_conformance::stores::Nats;
use sse_core::Position;
use sse_core::store::{Store, StoreError};

use crate::tools::{bounds, event, open, texts};

/// Acknowledged events are there, and no event comes after the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_appends_after_a_log_was_finished() {
    for _ in 0..10 {
        let nats = Nats::start().await;
        let is_over = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for _ in 0..8 {
            let (store, is_over) = (open(&nats).await, Arc::clone(&is_over));
            writers.push(tokio::spawn(async move {
                let mut last = Position::START;
                for number in 0.. {
                    let was_over = is_over.load(SeqCst);
                    match store.append(&[event(number)]).await {
                        Ok(appended) if !was_over => last = appended.positions[0],
                        Ok(_) => panic!("an append came after the end"),
                        Err(StoreError::Finished) => return (number, last),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                unreachable!("numbers have no end")
            }));
        }
        let store = open(&nats).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        store.finish().await.expect("finished");
        let newest = bounds(&store).await.newest;
        is_over.store(true, SeqCst);
        let ends = join_all(writers).await;
        let ends: Vec<_> = ends.into_iter().map(|end| end.expect("it wrote")).collect();
        assert_eq!(bounds(&store).await.newest, newest);
        assert_eq!(ends.iter().map(|(_, last)| *last).max(), Some(newest));
        assert_eq!(texts(&store).await.len(), ends.iter().map(|(count, _)| count).sum::<usize>());
    }
}

/// A person may ask for it then, too, and a log that is not written to any more still gets old.
#[tokio::test]
async fn retention_drops_events_of_a_finished_log() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let mut positions = Vec::new();
    for number in 0..4 {
        positions.extend(crate::tools::append(&store, &[event(number)]).await);
    }
    store.finish().await.expect("finished");
    store.delete(positions[1]).await.expect("deleted");
    assert_eq!(texts(&store).await, ["0", "2", "3"]);
    let retention = sse_core::StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(texts(&store).await, ["3"]);
    assert!(bounds(&store).await.is_finished);
}
