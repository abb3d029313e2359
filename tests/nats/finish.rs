//! The end of a log, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::future::join_all;
use sse_conformance::engines::Nats;
use sse_core::Position;
use sse_core::store::{Store, StoreError};
use sse_test_kit::eventually::eventually;

use crate::tools::{bounds, event, open, texts};

const WRITERS: usize = 8;

/// Acknowledged events are there, and no event comes after the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_appends_after_a_log_was_finished() {
    for _ in 0..10 {
        let nats = Nats::start().await;
        let (is_over, writing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let (store, is_over) = (open(&nats).await, Arc::clone(&is_over));
            let writing = Arc::clone(&writing);
            writers.push(tokio::spawn(async move {
                let mut last = Position::START;
                for number in 0.. {
                    let was_over = is_over.load(SeqCst);
                    match store.append(&[event(number)]).await {
                        Ok(appended) if !was_over => {
                            last = appended.positions[0];
                            writing.fetch_add(usize::from(number == 0), SeqCst);
                        }
                        Ok(_) => panic!("an append came after the end"),
                        Err(StoreError::Finished) => return (number, last),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                unreachable!("numbers have no end")
            }));
        }
        let store = open(&nats).await;
        let all = || writing.load(SeqCst) == WRITERS;
        eventually(Duration::from_secs(20), "each has appended", all).await;
        store.finish().await.expect("finished");
        let newest = bounds(&store).await.newest;
        is_over.store(true, SeqCst);
        let ends = join_all(writers).await;
        let ends: Vec<_> = ends.into_iter().map(|end| end.expect("it wrote")).collect();
        assert_eq!(bounds(&store).await.newest, newest);
        assert!(ends.iter().all(|(count, _)| *count > 0), "each was writing");
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
        positions.extend(crate::tools::append_all(&store, &[event(number)]).await);
    }
    store.finish().await.expect("finished");
    store.delete(positions[1]).await.expect("deleted");
    assert_eq!(texts(&store).await, ["0", "2", "3"]);
    let retention = sse_core::StoreOptions::new().events(1).retention();
    store.retain(&retention).await.expect("retained");
    assert_eq!(texts(&store).await, ["3"]);
    assert!(bounds(&store).await.is_finished);
}
